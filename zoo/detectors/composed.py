"""Composed: a detector made of an input policy, a backbone, a neck and a head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from torch import Tensor, nn

from zoo import text as words
from zoo.contract import Backbone, ClassLayer, FeatureLevel, Head, Neck
from zoo.contract.batch import Batch
from zoo.contract.protocol import Thresholds
from zoo.contract.target import Target
from zoo.detections import Detections
from zoo.detectors.composition import Composition
from zoo.detectors.detector import Detector
from zoo.detectors.diagram import Stage, draw
from zoo.detectors.preprocess import CardPreprocess
from zoo.errors import ContractError
from zoo.labels import LabelSpace
from zoo.labels.builtin import labels_of_card
from zoo.registry.card import Card, Input
from zoo.text import pluralize


class Composed(Detector):
    """Runs backbone, neck (or none) and head one after the other, and checks the maps between them
    against the levels that the parts declare.

    plan:  the parts' names and arguments.
    input: how an image becomes the network's input; its height and width are padded to the
        backbone's largest stride.
    """

    preprocess: CardPreprocess

    def __init__(
        self,
        *,
        label_space: LabelSpace,
        plan: Composition,
        input: Input,
        backbone: Backbone,
        neck: Neck | None,
        head: Head[Any],
    ) -> None:
        step = max(level.stride for level in backbone.levels)
        super().__init__(
            label_space=label_space,
            defaults=head.defaults,
            preprocess=CardPreprocess(input, step=step),
        )
        self.plan = plan
        self.backbone = backbone
        self.neck = neck
        self.head = head

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Any:
        """The head's outputs for a batch of pixels `(n, 3, height, width)`.

        Each part before the head returns one map `(n, channels, height / stride, width / stride)`
        per level.
        Raises: ContractError if a part returns other maps than it declares.
        """
        maps = self.backbone(batch.pixels)
        self._check_maps("backbone", maps, self.backbone.levels)
        if self.neck is not None:
            maps = self.neck(maps)
            self._check_maps("neck", maps, self.neck.levels)
        return self.head(maps, batch, targets)

    def decode(self, outputs: Any, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        """The head's detections, in original pixels."""
        return self.head.decode(outputs, batch, thresholds)

    def loss(self, outputs: Any, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        """The head's losses. Raises: LabelError for a label that is not in the label space."""
        return self.head.loss(outputs, batch, targets)

    def class_layers(self) -> Sequence[ClassLayer] | None:
        """The head's class layers, or None if it has no `class_layers`."""
        class_layers = getattr(self.head, "class_layers", None)
        return None if class_layers is None else [layer.within("head") for layer in class_layers()]

    def _check_maps(
        self, kind: str, maps: tuple[Tensor, ...], levels: tuple[FeatureLevel, ...]
    ) -> None:
        """Raises: ContractError unless a part's maps have the channels of its levels."""
        channels = [features.shape[1] for features in maps if isinstance(features, Tensor)]
        if channels == [level.channels for level in levels]:
            return
        raise ContractError(
            [
                f"The {kind} '{getattr(self.plan, kind)}' ran in this pipeline:",
                *describe(self).split("\n"),
            ],
            f"It returned {_maps_in_words(maps, channels)}, other than it declared.",
            f"This is a defect of the {kind}'s plugin: its `levels` and its maps have to agree.",
        )


def card_of_composed(detector: Composed) -> Card:
    """The card that builds this detector, without weights."""
    rule = msgspec.to_builtins(detector.preprocess.input)
    return Card(
        architecture="zoo/compose",
        labels=labels_of_card(detector.label_space),
        arguments=detector.plan.settings() | {"input": rule},
    )


def describe(detector: Composed) -> str:
    """The pipeline as a text table: parts, channels at each stride, number of parameters."""
    classes = detector.label_space.names
    shown = ", ".join(classes[:3]) + (" …" if len(classes) > 3 else "")
    stages = [Stage("input", shown_input(detector.preprocess.input))]
    for kind, name in detector.plan.names().items():
        module = getattr(detector, kind)
        levels = () if kind == "head" else module.levels
        note = _millions(module) + (
            f", {pluralize(len(classes), 'class', 'classes')}: {shown}" if kind == "head" else ""
        )
        stages.append(Stage(kind, name, levels, note))
    return draw(stages)


def shown_input(rule: Input) -> str:
    """`640 x 640 letterbox`."""
    return f"{rule.size[0]} x {rule.size[1]} {rule.resize}"


def _maps_in_words(maps: object, channels: Sequence[int]) -> str:
    return (
        f"maps of {', '.join(map(str, channels))} channels"
        if channels
        else f"{words.type_name(maps)} without maps"
    )


def _millions(module: nn.Module) -> str:
    return f"{sum(parameter.numel() for parameter in module.parameters()) / 1e6:.2f}M parameters"
