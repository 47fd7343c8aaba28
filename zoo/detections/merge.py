"""Merges detections of several detectors or tiles into those of one image."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from zoo.detections.detections import Detections
from zoo.errors import LabelError
from zoo.text import type_name


def merge(parts: Iterable[Detections]) -> Detections:
    """All boxes of all parts, best first; `suppress` then settles what overlaps.

    Raises: TypeError for other things than Detections; ValueError for no parts, or images of
        different size; LabelError for
    different label spaces.
    """
    every = list(parts) if isinstance(parts, Iterable) else [parts]
    if strange := [part for part in every if not isinstance(part, Detections)]:
        raise TypeError(
            f"merge() takes a list of Detections, and was given {type_name(strange[0])}"
        )
    if not every:
        raise ValueError("merge() needs at least one Detections")
    first = every[0]
    for part in every:
        if part.label_space != first.label_space:
            raise LabelError(
                "Detections can't be merged.",
                f"They are in different label spaces, '{first.label_space.title}' and "
                f"'{part.label_space.title}'.",
                "Bring them into one first: merge([first, second.relabel(first.label_space)]).",
            )
        if part.size != first.size:
            raise ValueError(
                f"merge() needs images of one size, got {first.size} and {part.size}; scaled() "
                f"and shifted() convert"
            )
    return Detections.of(
        torch.cat([part.boxes for part in every]),
        torch.cat([part.scores for part in every]),
        torch.cat([part.labels for part in every]),
        label_space=first.label_space,
        size=first.size,
        source=first.source if len({part.source for part in every}) == 1 else None,
    )
