"""Copies the backbone's weights of another model before a run."""

from __future__ import annotations

from torch import Tensor

from zoo.detectors import Detector, load
from zoo.errors import UsageError
from zoo.text import join_first, pluralize

BACKBONE_PREFIX = "backbone."
MAX_TENSORS_SHOWN = 3


def take_backbone(detector: Detector, name: str) -> int:
    """Copies the weights of a model's backbone into a detector with the same backbone; returns the
    number of tensors.

    name: the model, as for `zoo.load`.

    Raises:
        UsageError: the two backbones differ, or there is none; the message names tensors.
        NameNotFound, WeightsError: as `zoo.load` does.
    """
    theirs = _backbone(load(name, device="cpu"))
    ours = _backbone(detector)
    differ = [
        key
        for key in sorted(ours.keys() | theirs.keys())
        if key not in ours or key not in theirs or ours[key].shape != theirs[key].shape
    ]
    if differ or not ours:
        differences = "the model has none."
        if ours:
            names = join_first(differ, MAX_TENSORS_SHOWN)
            differences = f"{pluralize(len(differ), 'tensor')} differ, as {names}."
        raise UsageError(
            "The recipe can't be used.",
            f"backbone: {name} has another backbone than the model: {differences}",
            "Name a model with the same backbone and arguments, or leave backbone out.",
        )
    for key, tensor in theirs.items():
        ours[key].copy_(tensor)
    return len(ours)


def _backbone(detector: Detector) -> dict[str, Tensor]:
    state = detector.state_dict()
    return {key: value for key, value in state.items() if key.startswith(BACKBONE_PREFIX)}
