"""How much it costs to have a layer in int8: what is found with that layer alone in int8, against
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

FLOOR = 0.05


def ranked(
    layers: Sequence[Layer],
    images: Sequence[Tensor],
    reference: Engine,
    alone: Callable[[Layer], Engine],
    *,
    done: Callable[[Layer], None],
) -> list[Layer]:
    """The layers, those that cost most first.

    reference: in float32. alone: makes the engine with that layer alone in int8.
    """
    expected = detected(reference, images)
    losses: dict[str, float] = {}
    for layer in layers:
        losses[layer.name] = loss(expected, detected(alone(layer), images))
        done(layer)
    return sorted(layers, key=lambda layer: -losses[layer.name])


def detected(engine: Engine, images: Sequence[Tensor]) -> list[Detections]:
    """The detections in each image."""
    thresholds = replace(engine.defaults, score=max(FLOOR, engine.defaults.score))
    return [engine.predict([image], thresholds)[0] for image in images]


def loss(expected: Sequence[Detections], actual: Sequence[Detections]) -> float:
    """The share of the expected detections, by their scores, that is not found as it was: 0 where
    all are, with the same boxes and scores; 1 where none is."""
    whole = lost = 0.0
    for ours, theirs in zip(expected, actual, strict=True):
        whole += float(ours.scores.sum())
        kept = torch.zeros(len(ours))
        if len(ours) and len(theirs):
            same = ours.labels[:, None] == theirs.labels[None]
            ratios = ours.scores[:, None] / theirs.scores[None]
            alike = torch.minimum(ratios, 1 / ratios)
            kept = (box_iou(ours.boxes, theirs.boxes).nan_to_num() * alike * same).amax(dim=1)
        lost += float((ours.scores * (1 - kept)).sum())
    return lost / whole if whole else 0.0
