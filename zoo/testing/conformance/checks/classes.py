"""`class_layers` tells the truth: each class lives in the rows that it names."""

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
MUTED = -50.0  # a logit of nothing: no sigmoid or softmax makes more than 1e-20 of it
BELIEVED = 1e-9


def check_class_rows_are_its_own(detector: Detector) -> None:
    """Without the rows that `class_layers` declares for a class it is not seen, and with those of
    one class alone no other is."""
    names = detector.label_space.names
    if not len(_believed(detector)):
        raise NotApplicable("It sees nothing at all.")
    first, last = 0, len(names) - 1
    with muted(detector, {last}):
        detections = _believed(detector)
        require(
            last not in detections.labels,
            f"Without the declared rows of '{names[last]}' it still sees '{names[last]}'.",
        )
    for alone in sorted({first, last}):
        with muted(detector, set(range(len(names))) - {alone}):
            detections = _believed(detector)
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
    """A detector whose `class_layers` is empty has the same tensors for any classes, named so and
    of these shapes."""
    if model.plain.class_layers() != []:
        raise NotApplicable("Its classes are not a prompt: some of its layers have rows for them.")
    own = model.plain.state_dict()
    other = model.build(ANY).state_dict()
    changed = sorted(own.keys() ^ other.keys())
    changed += [name for name in own if name in other and own[name].shape != other[name].shape]
    require(
        not changed,
        f"Its class_layers is empty, and for {len(ANY)} classes {', '.join(changed[:3])} is "
        f"another tensor.",
    )


@contextmanager
def muted(
    detector: Detector, labels: Collection[int], *, background: bool = False
) -> Iterator[None]:
    """The rows of these labels, and of unused channels, say no to every image; afterwards they
    are what they were.

    background: the rows of the background as well.

    Raises: NotApplicable where the layers are not declared, or have no bias to say it with.
    """
    layers = detector.class_layers()
    if layers is None:
        raise NotApplicable("Its class_layers does not say where its classes are.")
    if not layers:
        raise NotApplicable("Its classes are a prompt: no layer has rows for them.")
    pairs: list[tuple[ClassLayer, Any]] = [(layer, submodule(detector, layer)) for layer in layers]
    spoken = [
        (layer, module) for layer, module in pairs if getattr(module, "bias", None) is not None
    ]
    mute = [
        layer.name
        for (layer, module), (_, behind) in zip(pairs, [*pairs[1:], (None, None)], strict=True)
        if getattr(module, "bias", None) is None and getattr(behind, "bias", None) is None
    ]
    if mute:
        raise NotApplicable(
            f"Neither '{mute[0]}', with rows for classes, nor the layer named behind it has a bias."
        )
    modules = [module for _, module in spoken]
    before = [(module.weight.detach().clone(), module.bias.detach().clone()) for module in modules]
    with torch.no_grad():
        for layer, module in spoken:
            kept = () if background else (layer.background,)
            rows = enumerate(layer.channels)
            channels = [
                channel
                for channel, label in rows
                if label in labels or (label < 0 and channel not in kept)
            ]
            by_channel(module.weight, layer, detector)[:, channels] = (
                0  # (block, channel, row, …), a view
            )
            by_channel(module.bias, layer, detector)[:, channels] = MUTED
    try:
        yield
    finally:
        with torch.no_grad():
            for module, (weight, bias) in zip(modules, before, strict=True):
                module.weight.copy_(weight)
                module.bias.copy_(bias)


def _believed(detector: Detector) -> Detections:
    """Its detections at a score threshold of 0."""
    [detections] = decode(detector, [scene()])
    return detections[detections.scores > BELIEVED]
