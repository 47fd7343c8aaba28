"""Freezes every layer's output for one batch, and makes the last layers' outputs free tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.utils import _pytree as pytree

from zoo.contract import Batch, Target
from zoo.detectors.detector import Detector

NO_LAYER = "No layer of it leads to a tensor of its outputs, which have to be a pytree."


@contextmanager
def free_outputs(
    detector: Detector, batch: Batch, targets: Sequence[Target]
) -> Iterator[list[Tensor]]:
    """The outputs of the last layers, as leaves; while it lasts, `detector(batch, targets)` follows
    from them, and no weight has a gradient.

    The detector is in train mode. A layer is a module that has weights, no module in it, and a row
    of outputs per image; the last are those after which there is no other on the way to the
    detector's outputs. What comes behind them, as an exponential, or a second stage that looks at
    regions, is still the detector's own.
    """
    said, last = _listened(detector, batch, targets)
    learnt = [parameter for parameter in detector.parameters() if parameter.requires_grad]
    for module, outputs in said.items():
        module.forward = _repeating(outputs)
    for parameter in learnt:
        parameter.requires_grad = False
    try:
        yield [output.requires_grad_() for output in last]
    finally:
        for parameter in learnt:
            parameter.requires_grad = True
        for module in said:
            del module.forward


def _listened(
    detector: Detector, batch: Batch, targets: Sequence[Target]
) -> tuple[dict[nn.Module, list[Tensor]], list[Tensor]]:
    """The outputs of each layer, call by call, and which of them were the last on their way."""
    said: dict[nn.Module, list[Tensor]] = {}
    born: dict[Any, Tensor] = {}  # by the step of autograd that made it

    def listen(module: nn.Module, _: object, output: object) -> None:
        if not isinstance(output, Tensor) or output.grad_fn is None:
            return
        if len(batch) in output.shape[: max(output.ndim - 1, 1)][:2]:
            said.setdefault(module, []).append(output.detach().clone())
            born[output.grad_fn] = said[module][-1]

    layers = [
        module
        for module in detector.modules()
        if not list(module.children()) and list(module.parameters())
    ]
    hooks = [
        layer.register_forward_hook(listen) for layer in layers if "forward" not in vars(layer)
    ]
    try:
        outputs = detector(batch, targets)
    finally:
        for hook in hooks:
            hook.remove()
    return said, _first_met(tensors(outputs), born)


def _first_met(outputs: list[Tensor], born: Mapping[Any, Tensor]) -> list[Tensor]:
    """Going back from the outputs, what is met before anything else."""
    steps: list[Any] = [tensor.grad_fn for tensor in outputs]
    visited: set[Any] = set()
    met = []
    while steps:
        step = steps.pop()
        if step is None or step in visited:
            continue
        visited.add(step)
        if step in born:
            met.append(born[step])
        else:
            steps += [before for before, _ in step.next_functions]
    return met


def _repeating(outputs: list[Tensor]) -> Callable[..., Tensor]:
    """A layer's forward that says the same again, call by call; copies, as what follows may write
    on them."""
    calls = 0

    def repeat(*_: object, **__: object) -> Tensor:
        nonlocal calls
        calls += 1
        return outputs[(calls - 1) % len(outputs)].clone()

    return repeat


def tensors(outputs: object) -> list[Tensor]:
    """Every tensor of outputs, which are a pytree."""
    return [leaf for leaf in pytree.tree_leaves(outputs) if isinstance(leaf, Tensor)]
