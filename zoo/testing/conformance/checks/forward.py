"""Checks of `forward`: its outputs are a pytree, it takes targets in train mode, and it uses every
parameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from zoo.contract import Batch, Protocol, Thresholds
from zoo.detections import Detections
from zoo.detectors.detector import Detector
from zoo.inference.runner import eval_mode
from zoo.testing.conformance.compare import agree, difference
from zoo.testing.conformance.errors import NotApplicable, require
from zoo.testing.conformance.images import EVERYTHING, Pass, one_target, preprocess, scene
from zoo.testing.conformance.train_mode import train_mode
from zoo.text import type_name

LEAVES = Tensor, bool, int, float, type(None)
CALLERS_THRESHOLDS = Thresholds(score=0.25, iou=0.4, max_boxes=3)


def check_outputs_are_a_pytree(detector: Detector) -> None:
    """Outputs are tensors, numbers and flags in lists, tuples, dicts and registered classes;
    rebuilt from these leaves, they are decoded to the same detections.

    `zoo.contract.pytree_dataclass` registers a class.
    """
    once = Pass.at(detector, _scenes())
    leaves, spec = pytree.tree_flatten(once.outputs)
    others = sorted({type_name(leaf) for leaf in leaves if not isinstance(leaf, LEAVES)})
    case = f"Its outputs contain {', '.join(others)}, which torch can't flatten"
    require(not others, f"{case}: declare a class with zoo.contract.pytree_dataclass.")
    require(any(isinstance(leaf, Tensor) for leaf in leaves), "Its outputs contain no tensor.")
    again = replace(once, outputs=pytree.tree_unflatten(leaves, spec))
    _check_same(once, again, "Rebuilt from their leaves, its outputs are decoded differently")


def check_targets_are_for_training(detector: Detector) -> None:
    """`forward(batch, targets)` works in train mode; in eval mode the targets change nothing."""
    targets = [one_target(), one_target(len(detector.label_space) - 1)]
    with train_mode(detector):
        detector(preprocess(detector, _scenes()), targets)
    without_targets = Pass.at(detector, _scenes())
    with eval_mode(detector), torch.inference_mode():
        with_targets = replace(without_targets, outputs=detector(without_targets.batch, targets))
    _check_same(without_targets, with_targets, "In eval mode, targets change what it detects")


def check_parameters_are_used_in_forward(detector: Detector) -> None:
    """The loss uses no trainable parameter: all are used in `forward`, which is what
    DistributedDataParallel, FSDP and `torch.compile` wrap."""
    targets = [one_target(), one_target(len(detector.label_space) - 1)]
    with train_mode(detector):
        batch = preprocess(detector, _scenes())
        outputs = detector(batch, targets)
        with _UsedParameters(detector) as used:
            detector.loss(outputs, batch, targets)
    names = ", ".join(sorted(used.names))
    require(
        not used.names,
        f"The loss uses {names}, which DistributedDataParallel and torch.compile don't see there.",
    )


def check_thresholds_are_filled(detector: Detector) -> None:
    """`decode` gets `Thresholds` without None: the caller's, and its own for those left open."""
    for protocol, expected in (
        (Protocol(), detector.defaults),
        (
            Protocol(
                score=CALLERS_THRESHOLDS.score,
                iou=CALLERS_THRESHOLDS.iou,
                max_boxes=CALLERS_THRESHOLDS.max_boxes,
            ),
            CALLERS_THRESHOLDS,
        ),
    ):
        thresholds_by_call = _thresholds_of_decode(detector, protocol)
        if not thresholds_by_call:
            raise NotApplicable("Its `predict` does not call `decode`.")
        for thresholds in thresholds_by_call:
            require(thresholds == expected, f"Its decode gets {thresholds!r}, not {expected}.")


def _thresholds_of_decode(detector: Detector, protocol: Protocol) -> list[object]:
    thresholds_by_call: list[object] = []
    decode: Callable[..., list[Detections]] = detector.decode

    def listen(outputs: Any, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        thresholds_by_call.append(thresholds)
        return decode(outputs, batch, thresholds)

    vars(detector)["decode"] = listen
    try:
        detector.detect(
            scene(),
            score=protocol.score,
            iou=protocol.iou,
            max_boxes=protocol.max_boxes,
            threads=0,
            progress=False,
        )
    finally:
        del vars(detector)["decode"]
    return thresholds_by_call


class _UsedParameters(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Names of trainable parameters that torch computes with inside the context."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.trainable = {
            id(parameter): name
            for name, parameter in module.named_parameters()
            if parameter.requires_grad
        }
        self.names: set[str] = set()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        for leaf in pytree.tree_leaves((args, kwargs)):
            if isinstance(leaf, Tensor) and id(leaf) in self.trainable:
                self.names.add(self.trainable[id(leaf)])
        return func(*args, **(kwargs or {}))


def _check_same(expected: Pass, outputs: Pass, case: str) -> None:
    pairs = zip(expected.decoded(EVERYTHING), outputs.decoded(EVERYTHING), strict=True)
    for first, other in pairs:
        require(agree(first, other), f"{case}: {difference(first, other)}.")


def _scenes() -> list[Tensor]:
    return [scene(seed=1), scene(seed=2)]
