"""Places images on a sheet, in rows that are all as wide as the sheet, or in columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

NARROWEST, WIDEST = 0.4, 3.2  # width to height of a place; other images leave a part of it empty
SQUARE = 1.0  # width to height of the tallest place in columns
TALLEST = 1.6  # times the usual height: the largest height of a row of few images


class Place(NamedTuple):
    """Left, top, width and height in pixels."""

    left: int
    top: int
    width: int
    height: int


def in_rows(
    sizes: Sequence[tuple[int, int]], *, width: int, height: int, gap: int, below: int
) -> list[Place]:
    """Places of images of these widths and heights, in their order.

    Each row is as wide as the sheet, and the rows are as near to `height` as possible.

    gap:   pixels between two places.
    below: pixels under each row, for captions.
    """
    aspects = [min(max(wide / tall, NARROWEST), WIDEST) for wide, tall in sizes]
    places: list[Place] = []
    top = 0
    for first, end in _breaks(aspects, width, height, gap):
        tall = _height(aspects[first:end], width, gap)
        full = tall <= TALLEST * height
        row = _row(aspects[first:end], top, tall if full else TALLEST * height, gap)
        if full:
            row[-1] = row[-1]._replace(width=width - row[-1].left)
        places += row
        top += row[-1].height + below + gap
    return places


def _breaks(aspects: Sequence[float], width: int, height: int, gap: int) -> list[tuple[int, int]]:
    """The first image of each row and the one after its last, chosen so that the rows' heights are
    nearest to the usual one, by dynamic programming."""
    best = [(0.0, 0)] + [(math.inf, 0)] * len(aspects)  # cost of the images up to here; row's first
    for end in range(1, len(aspects) + 1):
        for first in range(end - 1, -1, -1):
            tall = _height(aspects[first:end], width, gap)
            if tall <= 0:
                break
            cost = best[first][0] + math.log(tall / height) ** 2
            best[end] = min(best[end], (cost, first))
    breaks = []
    end = len(aspects)
    while end:
        breaks.append((best[end][1], end))
        end = best[end][1]
    return breaks[::-1]


def _height(aspects: Sequence[float], width: int, gap: int) -> float:
    """The height of a row as wide as the sheet."""
    return (width - gap * (len(aspects) - 1)) / sum(aspects)


def _row(aspects: Sequence[float], top: int, height: float, gap: int) -> list[Place]:
    """The places of a row, from left to right."""
    left, places = 0.0, []
    for aspect in aspects:
        right = left + aspect * height
        places.append(Place(round(left), top, round(right) - round(left), round(height)))
        left = right + gap
    return places


def in_columns(
    aspects: Sequence[float], *, columns: int, width: int, gap: int, below: int
) -> list[Place]:
    """Places in columns of one width, row after row. aspects: width to height of each row."""
    wide = (width - gap * (columns - 1)) / columns
    top, places = 0, []
    for aspect in aspects:
        tall = round(wide / min(max(aspect, SQUARE), WIDEST))
        for column in range(columns):
            left = round(column * (wide + gap))
            right = round(column * (wide + gap) + wide)
            places.append(Place(left, top, right - left, tall))
        top += tall + below + gap
    return places
