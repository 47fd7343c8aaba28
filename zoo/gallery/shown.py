"""The contents of a page: images with boxes as small whole numbers, which thousands of them need.

A box is `[left, top, width, height]` in parts of `PARTS` of the image's sides.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from zoo.draw.palette import color_of

PARTS = 10_000
FALSE, ASIDE = -1, -2  # in place of the box that a detection finds
Found = tuple[int, int, int, int, int, int, int]
Annotated = tuple[int, int, int, int, int, int]


@dataclass(frozen=True)
class ShownImage:
    """One image of a page.

    jpeg:  a data URL. width, height: of the image that it was made of.
    found: detections, best first: label, score in parts of `PARTS`, box, and the annotated box that
        it finds, as a position in `truth`; `FALSE` where it finds none, `ASIDE` where it does not
        count.
    truth: annotated boxes: label, box, and 1 where it does not count.
    more:  weaker detections that there was no room for.
    """

    name: str
    width: int
    height: int
    jpeg: str
    found: Sequence[Found] = ()
    truth: Sequence[Annotated] = ()
    more: int = 0


@dataclass(frozen=True)
class Gallery:
    """Everything on a page.

    names:     of the classes, by label.
    score:     the threshold that the page begins with. lowest: the one that detections were made
        with.
    iou:       the overlap at which a detection finds a box; None where no truth is known.
    total:     of images; more than `images` where some were left out. chosen: how those here were.
    unreadable: images that can't be shown, and why.
    summary:   sentences under the title. facts: provenance, by what each is called.
    """

    title: str
    names: Sequence[str]
    images: Sequence[ShownImage]
    score: float
    lowest: float
    total: int
    iou: float | None = None
    chosen: str = ""
    unreadable: Sequence[tuple[str, str]] = ()
    summary: Sequence[str] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


def part_of(xyxy: Iterable[float], width: int, height: int) -> tuple[int, int, int, int]:
    """A box in parts of the image's sides, cut where it leaves the image."""
    left, top, right, bottom = xyxy
    x1, x2 = (_part(value, width) for value in (left, right))
    y1, y2 = (_part(value, height) for value in (top, bottom))
    return x1, y1, x2 - x1, y2 - y1


def score_part(score: float) -> int:
    """A score in parts, rounded down: it never passes a threshold that the number itself does
    not."""
    return math.floor(score * PARTS)


def threshold_below(score: float) -> float:
    """The step of the page's slider at or below a score."""
    return math.floor(score * 100) / 100


def _part(value: float, side: int) -> int:
    return round(min(max(value, 0.0), side) / side * PARTS)


def css_color(label: int) -> str:
    """The colour of a class, the same as in annotated images."""
    return "#{:02x}{:02x}{:02x}".format(*color_of(label))
