"""Frames and plates with round corners, painted on a picture and antialiased by the exact distance of each pixel to the edge."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from zoo.draw.palette import Color

Box: TypeAlias = tuple[float, float, float, float]
Distances: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Rim:
    """A soft edge around a shape, so that it shows on any background: colour, width in pixels and opacity in [0, 1]."""

    color: Color
    width: float
    opacity: float = 0.55


def frame(image: Image.Image, box: Box, *, color: Color, line: float, radius: float, rim: Rim) -> None:
    """An outline whose middle runs along the box, `line` pixels wide, with a rim outside and inside."""
    reach = line / 2 + rim.width + 1
    _paint(image, box, radius, outer=reach, inner=reach + radius, color=color, rim=rim, away=lambda edge: np.abs(edge) - line / 2)


def plate(image: Image.Image, box: Box, *, color: Color, radius: float, rim: Rim) -> None:
    """A filled box with a rim outside."""
    _paint(image, box, radius, outer=rim.width + 1, inner=math.inf, color=color, rim=rim, away=lambda edge: edge)


def _paint(
    image: Image.Image,
    box: Box,
    radius: float,
    *,
    outer: float,
    inner: float,
    color: Color,
    rim: Rim,
    away: Callable[[Distances], Distances],
) -> None:
    """The shape that the distances `away` from its surface describe, where the box's edge is at most `outer` or `inner` pixels off."""
    for rows, columns in _parts(image.size, box, outer, inner):
        distance = away(_to_edge(rows, columns, box, radius))
        corner = (columns.start, rows.start)
        image.paste(rim.color, corner, _mask(rim.opacity * _cover(distance - rim.width), rows, columns))
        image.paste(color, corner, _mask(_cover(distance), rows, columns))


def _parts(size: tuple[int, int], box: Box, outer: float, inner: float) -> Iterator[tuple[range, range]]:
    """Rows and columns of four corners and four sides that surround the box's inside, as far as they lie in the picture."""
    x1, y1, x2, y2 = box
    across = list(_bands(x1, x2, outer, inner, size[0]))
    down = list(_bands(y1, y2, outer, inner, size[1]))
    for i, rows in enumerate(down):
        for j, columns in enumerate(across):
            if rows and columns and (i, j) != (1, 1):
                yield rows, columns


def _bands(low: float, high: float, outer: float, inner: float, size: int) -> Iterator[range]:
    """The pixels about the low end, in between, and about the high end."""
    middle = (low + high) / 2
    cuts = (math.floor(low - outer), math.ceil(min(low + inner, middle)), math.ceil(max(high - inner, middle)), math.ceil(high + outer))
    a, b, c, d = (min(max(cut, 0), size) for cut in cuts)
    yield from (range(a, b), range(b, c), range(c, d))


def _to_edge(rows: range, columns: range, box: Box, radius: float) -> Distances:
    """Pixels from each pixel's centre to the edge of the box with round corners, negative inside, `(rows, columns)`."""
    x1, y1, x2, y2 = box
    x = np.abs(np.asarray(columns, dtype=np.float32) + np.float32(0.5 - (x1 + x2) / 2)) - np.float32((x2 - x1) / 2 - radius)
    y = np.abs(np.asarray(rows, dtype=np.float32) + np.float32(0.5 - (y1 + y2) / 2)) - np.float32((y2 - y1) / 2 - radius)
    corner: Distances = np.hypot(np.maximum(x, 0), np.maximum(y, 0)[:, None])
    corner += np.minimum(np.maximum(x, y[:, None]), 0) - np.float32(radius)
    return corner


def _cover(distance: Distances) -> Distances:
    """How much of a pixel lies inside an edge at that distance, 0 to 1."""
    covered: Distances = np.clip(0.5 - distance, 0, 1)
    return covered


def _mask(alpha: Distances, rows: range, columns: range) -> Image.Image:
    return Image.fromarray(np.rint(alpha * 255).astype(np.uint8))
