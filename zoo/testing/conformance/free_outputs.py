"""A detector whose layers repeat what they said of one batch, but for the last ones, which may say
what a loss asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor, nn

from zoo.contract import Batch
from zoo.detectors.detector import Detector


@contextmanager
def free_outputs(detector: Detector, batch: Batch) -> Iterator[list[Tensor]]:
    """What the last layers said, as leaves; while it lasts, `detector(batch)` follows from them,
    and no weight has a gradient.

    The detector is to be in train mode. A layer is a module that has weights and no module in it;
    the last are those after which there is no other on the way to the raw output. What comes behind
    them, as an exponential, is still the detector's own.
    """
    said, last = _listened(detector, batch)
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
    detector: Detector, batch: Batch
) -> tuple[dict[nn.Module, list[Tensor]], list[Tensor]]:
    """What each layer said, call by call, and which of it was the last on its way."""
    said: dict[nn.Module, list[Tensor]] = {}
    born: dict[Any, Tensor] = {}  # by the step of autograd that made it

    def listen(module: nn.Module, _: object, output: object) -> None:
        if isinstance(output, Tensor) and output.grad_fn is not None:
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
        raw = detector(batch)
    finally:
        for hook in hooks:
            hook.remove()
    return said, _first_met(list(tensors(raw)), born)


def _first_met(raw: list[Tensor], born: Mapping[Any, Tensor]) -> list[Tensor]:
    """Going back from the raw output, what is met before anything else."""
    steps: list[Any] = [tensor.grad_fn for tensor in raw]
    seen: set[Any] = set()
    met = []
    while steps:
        step = steps.pop()
        if step is None or step in seen:
            continue
        seen.add(step)
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


def tensors(raw: object) -> Iterator[Tensor]:
    """Every tensor of a raw output; looks into dicts, lists, tuples and dataclasses."""
    if isinstance(raw, Tensor):
        yield raw
    elif isinstance(raw, Mapping):
        for value in raw.values():
            yield from tensors(value)
    elif isinstance(raw, list | tuple):
        for value in raw:
            yield from tensors(value)
    elif is_dataclass(raw):
        for field in fields(raw):
            yield from tensors(getattr(raw, field.name))
