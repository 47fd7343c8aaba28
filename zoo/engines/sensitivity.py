"""The cost of each layer in int8: the detections with only that layer in int8, compared with
float32."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from zoo.boxes import box_iou
from zoo.detections import Detections
from zoo.engines.engine import Engine
from zoo.engines.quantizer import Layer

SCORE_FLOOR = 0.05


def rank_layers(
    layers: Sequence[Layer],
    images: Sequence[Tensor],
    reference: Engine,
    alone: Callable[[Layer], Engine],
    *,
    done: Callable[[Layer], None],
) -> list[Layer]:
    """The layers, most costly first.

    reference: the engine in float32. alone: makes the engine with only that layer in int8.
    """
    expected = detect(reference, images)
    losses: dict[str, float] = {}
    for layer in layers:
        losses[layer.name] = loss(expected, detect(alone(layer), images))
        done(layer)
    return sorted(layers, key=lambda layer: -losses[layer.name])


def detect(engine: Engine, images: Sequence[Tensor]) -> list[Detections]:
    """The detections in each image."""
    thresholds = replace(engine.defaults, score=max(SCORE_FLOOR, engine.defaults.score))
    return [engine.predict([image], thresholds)[0] for image in images]


def loss(expected: Sequence[Detections], actual: Sequence[Detections]) -> float:
    """The lost share of the expected detections, weighted by their scores: 0 if all have the same
    boxes and scores, 1 if none is detected."""
    total = lost = 0.0
    for ours, theirs in zip(expected, actual, strict=True):
        total += float(ours.scores.sum())
        similarity = torch.zeros(len(ours))
        if len(ours) and len(theirs):
            same = ours.labels[:, None] == theirs.labels[None]
            ratios = ours.scores[:, None] / theirs.scores[None]
            alike = torch.minimum(ratios, 1 / ratios)
            similarity = (box_iou(ours.boxes, theirs.boxes).nan_to_num() * alike * same).amax(dim=1)
        lost += float((ours.scores * (1 - similarity)).sum())
    return lost / total if total else 0.0
