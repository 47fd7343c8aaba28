"""Checks that `class_layers` names the rows of the weights that belong to each class."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from zoo.contract import ClassLayer
from zoo.detections import Detections
from zoo.detectors.class_rows import by_channel, submodule
from zoo.detectors.detector import Detector
from zoo.labels import LabelSpace
from zoo.testing.conformance.errors import NotApplicable, require
from zoo.testing.conformance.images import decode, scene
from zoo.testing.conformance.model import Model

ANY = LabelSpace.custom(["helmet", "vest", "boot", "crane", "cone"])
MUTED_LOGIT = -50.0  # a sigmoid or softmax makes less than 1e-20 of it
MUTED_SCORE = 1e-9  # of a muted class, at most


def check_class_rows_are_its_own(detector: Detector) -> None:
    """A class is not detected without the rows that `class_layers` declares for it, and with the
    rows of one class alone no other class is."""
    names = detector.label_space.names
    if not len(_unmuted_detections(detector)):
        raise NotApplicable("It detects nothing at all.")
    first, last = 0, len(names) - 1
    with mute_classes(detector, {last}):
        detections = _unmuted_detections(detector)
        require(
            last not in detections.labels,
            f"Without the declared rows of '{names[last]}' it still sees '{names[last]}'.",
        )
    for alone in sorted({first, last}):
        with mute_classes(detector, set(range(len(names))) - {alone}):
            detections = _unmuted_detections(detector)
        others = [
            names[label]
            for label in range(len(names))
            if label in detections.labels and label != alone
        ]
        require(
            not others,
            f"With the declared rows of '{names[alone]}' alone it sees {', '.join(others[:3])}.",
        )
        require(
            len(detections) > 0,
            f"With the declared rows of '{names[alone]}' alone it sees nothing.",
        )


def check_weights_serve_any_prompt(model: Model) -> None:
    """If its `class_layers` is empty, names and shapes of its tensors are the same for any
    classes."""
    if model.plain.class_layers() != []:
        raise NotApplicable("Its classes are not a prompt: some of its layers have rows for them.")
    own = model.plain.state_dict()
    other = model.build(ANY).state_dict()
    changed = sorted(own.keys() ^ other.keys())
    changed += [name for name in own if name in other and own[name].shape != other[name].shape]
    require(
        not changed,
        f"Its class_layers is empty, but for {len(ANY)} classes {', '.join(changed[:3])} is "
        f"missing, new or of another shape.",
    )


@contextmanager
def mute_classes(
    detector: Detector, labels: Collection[int], *, background: bool = False
) -> Iterator[None]:
    """Makes the logits of these labels, and of unused channels, very low for every image; restores
    the weights afterwards.

    background: mutes the rows of the background as well.

    Raises: NotApplicable if the layers are not declared, or have no bias.
    """
    layers = detector.class_layers()
    if layers is None:
        raise NotApplicable("Its class_layers does not say where its classes are.")
    if not layers:
        raise NotApplicable("Its classes are a prompt: no layer has rows for them.")
    pairs: list[tuple[ClassLayer, Any]] = [(layer, submodule(detector, layer)) for layer in layers]
    with_bias = [
        (layer, module) for layer, module in pairs if getattr(module, "bias", None) is not None
    ]
    without_bias = [
        layer.name
        for (layer, module), (_, following) in zip(pairs, [*pairs[1:], (None, None)], strict=True)
        if getattr(module, "bias", None) is None and getattr(following, "bias", None) is None
    ]
    if without_bias:
        raise NotApplicable(
            f"Neither '{without_bias[0]}', with rows for classes, nor the layer declared behind it "
            f"has a bias."
        )
    modules = [module for _, module in with_bias]
    before = [(module.weight.detach().clone(), module.bias.detach().clone()) for module in modules]
    with torch.no_grad():
        for layer, module in with_bias:
            exempt = () if background else (layer.background,)
            rows = enumerate(layer.channels)
            channels = [
                channel
                for channel, label in rows
                if label in labels or (label < 0 and channel not in exempt)
            ]
            # views: (block, channel, row, …)
            by_channel(module.weight, layer, detector)[:, channels] = 0
            by_channel(module.bias, layer, detector)[:, channels] = MUTED_LOGIT
    try:
        yield
    finally:
        with torch.no_grad():
            for module, (weight, bias) in zip(modules, before, strict=True):
                module.weight.copy_(weight)
                module.bias.copy_(bias)


def _unmuted_detections(detector: Detector) -> Detections:
    """Its detections in a scene that score more than those of muted classes."""
    [detections] = decode(detector, [scene()])
    return detections[detections.scores > MUTED_SCORE]
