"""The backbone of another model as the beginning of a run."""

from __future__ import annotations

from torch import Tensor

from zoo.detectors import Detector, load
from zoo.errors import UsageError
from zoo.text import listed, pluralize

PREFIX = "backbone."
SHOWN = 3  # tensors in a message


def take_backbone(detector: Detector, name: str) -> int:
    """Copies the weights of a model's backbone into a detector of the same backbone; returns how
    many tensors that are.

    name: the model, as `zoo.load` takes it.

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
        count = pluralize(len(differ), "tensor")
        raise UsageError(
            "The recipe can't be used.",
            f"backbone: {name} has another backbone than the model: "
            + (f"{count} differ, as {listed(differ, SHOWN)}." if ours else "the model has none."),
            "Name a model with the same backbone and arguments, or leave backbone out.",
        )
    for key, tensor in theirs.items():
        ours[key].copy_(tensor)
    return len(ours)


def _backbone(detector: Detector) -> dict[str, Tensor]:
    state = detector.state_dict()
    return {key: value for key, value in state.items() if key.startswith(PREFIX)}
