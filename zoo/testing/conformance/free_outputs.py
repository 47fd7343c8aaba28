"""Freezes every layer's output for one batch, and turns those of the last layers into leaves."""

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
    """The outputs of the last layers as leaves. Within the context, `detector(batch, targets)` is
    computed from them, and no weight has a gradient.

    The detector has to be in train mode. A layer is a module with weights, no submodules, and a
    row of outputs per image; a last layer is one that no other follows on the way to the
    detector's outputs. The code behind them, such as an exponential or a second stage that pools
    regions, is still the detector's own.
    """
    outputs_by_layer, last = _record_outputs(detector, batch, targets)
    trainable = [parameter for parameter in detector.parameters() if parameter.requires_grad]
    for module, outputs in outputs_by_layer.items():
        module.forward = _replay(outputs)
    for parameter in trainable:
        parameter.requires_grad = False
    try:
        yield [output.requires_grad_() for output in last]
    finally:
        for parameter in trainable:
            parameter.requires_grad = True
        for module in outputs_by_layer:
            del module.forward


def _record_outputs(
    detector: Detector, batch: Batch, targets: Sequence[Target]
) -> tuple[dict[nn.Module, list[Tensor]], list[Tensor]]:
    """The outputs of each layer, call by call, and the outputs of the last layers."""
    outputs_by_layer: dict[nn.Module, list[Tensor]] = {}
    output_of_step: dict[Any, Tensor] = {}  # by the step of autograd that made it

    def listen(module: nn.Module, _: object, output: object) -> None:
        if not isinstance(output, Tensor) or output.grad_fn is None:
            return
        if len(batch) in output.shape[: max(output.ndim - 1, 1)][:2]:
            outputs_by_layer.setdefault(module, []).append(output.detach().clone())
            output_of_step[output.grad_fn] = outputs_by_layer[module][-1]

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
    return outputs_by_layer, _nearest_layer_outputs(tensors(outputs), output_of_step)


def _nearest_layer_outputs(
    outputs: list[Tensor], output_of_step: Mapping[Any, Tensor]
) -> list[Tensor]:
    """The layer outputs that a walk back from the detector's outputs meets first."""
    steps: list[Any] = [tensor.grad_fn for tensor in outputs]
    visited: set[Any] = set()
    nearest = []
    while steps:
        step = steps.pop()
        if step is None or step in visited:
            continue
        visited.add(step)
        if step in output_of_step:
            nearest.append(output_of_step[step])
        else:
            steps += [earlier for earlier, _ in step.next_functions]
    return nearest


def _replay(outputs: list[Tensor]) -> Callable[..., Tensor]:
    """A forward that returns recorded outputs again, call by call; copies, as later code may
    write to them."""
    calls = 0

    def repeat(*_: object, **__: object) -> Tensor:
        nonlocal calls
        calls += 1
        return outputs[(calls - 1) % len(outputs)].clone()

    return repeat


def tensors(outputs: object) -> list[Tensor]:
    """Every tensor of a detector's outputs, a pytree."""
    return [leaf for leaf in pytree.tree_leaves(outputs) if isinstance(leaf, Tensor)]
