"""Draws frames and plates with round corners, antialiased by each pixel's distance to the edge."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from zoo.draw.palette import Color

Box: TypeAlias = tuple[float, float, float, float]
Distances: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Rim:
    """A soft edge around a shape, which makes it visible on any background: colour, width in pixels
    and opacity in [0, 1]."""

    color: Color
    width: float
    opacity: float = 0.55


def frame(
    image: PIL.Image.Image, box: Box, *, color: Color, line: float, radius: float, rim: Rim
) -> None:
    """Draws an outline along the box, `line` pixels wide, with a rim outside and inside."""
    reach = line / 2 + rim.width + 1
    near = reach, reach + radius
    _paint(
        image,
        box,
        radius,
        near=near,
        color=color,
        rim=rim,
        away=lambda edge: np.abs(edge) - np.float32(line / 2),
    )


def plate(image: PIL.Image.Image, box: Box, *, color: Color, radius: float, rim: Rim) -> None:
    """Draws a filled box with a rim outside."""
    _paint(
        image,
        box,
        radius,
        near=(rim.width + 1, math.inf),
        color=color,
        rim=rim,
        away=lambda edge: edge,
    )


def _paint(
    image: PIL.Image.Image,
    box: Box,
    radius: float,
    *,
    near: tuple[float, float],
    color: Color,
    rim: Rim,
    away: Callable[[Distances], Distances],
) -> None:
    """Paints a shape and its rim.

    near: how many pixels it reaches outside and inside of the box's edge.
    away: the distance to the shape from the distance to the box's edge, both in pixels.
    """
    for rows, columns in _parts(image.size, box, *near):
        distance = away(_to_edge(rows, columns, box, radius))
        corner = (columns.start, rows.start)
        image.paste(rim.color, corner, _mask(rim.opacity * _cover(distance - rim.width)))
        image.paste(color, corner, _mask(_cover(distance)))


def _parts(
    size: tuple[int, int], box: Box, outer: float, inner: float
) -> Iterator[tuple[range, range]]:
    """Rows and columns of the strips along the top, the bottom and the sides of a box, inside the
    image."""
    x1, y1, x2, y2 = box
    left, _, right = _bands(x1, x2, outer, inner, size[0])
    top, down, bottom = _bands(y1, y2, outer, inner, size[1])
    wide = range(left.start, right.stop)
    for rows, columns in ((top, wide), (bottom, wide), (down, left), (down, right)):
        if rows and columns:
            yield rows, columns


def _bands(
    low: float, high: float, outer: float, inner: float, size: int
) -> tuple[range, range, range]:
    """The pixels around the low end, in between, and around the high end."""
    middle = (low + high) / 2
    cuts = (low - outer, min(low + inner, middle), max(high - inner, middle), high + outer)
    a, b, c, d = (min(max(round(cut), 0), size) for cut in cuts)
    return range(a, b), range(b, c), range(c, d)


def _to_edge(rows: range, columns: range, box: Box, radius: float) -> Distances:
    """Pixels from each pixel's centre to the edge of the box with round corners, negative inside,
    `(rows, columns)`."""
    x1, y1, x2, y2 = box
    x = np.abs(
        np.asarray(columns, dtype=np.float32) + np.float32(0.5 - (x1 + x2) / 2)
    ) - np.float32((x2 - x1) / 2 - radius)
    y = np.abs(np.asarray(rows, dtype=np.float32) + np.float32(0.5 - (y1 + y2) / 2)) - np.float32(
        (y2 - y1) / 2 - radius
    )
    corner: Distances = np.hypot(np.maximum(x, 0), np.maximum(y, 0)[:, None])
    corner += np.minimum(np.maximum(x, y[:, None]), 0) - np.float32(radius)
    return corner


def _cover(distance: Distances) -> Distances:
    """The share of a pixel that is inside an edge at that distance, 0 to 1."""
    covered: Distances = np.minimum(np.maximum(0.5 - distance, 0), 1)
    return covered


def _mask(alpha: Distances) -> PIL.Image.Image:
    return PIL.Image.fromarray((alpha * 255 + 0.5).astype(np.uint8))
