"""A shape at its place in an image: its pixels and its exact box."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detzoo_shapes.outlines import Field, Outline, outline

Window = tuple[slice, slice]  # rows and columns
Box = tuple[float, float, float, float]  # xyxy


@dataclass(frozen=True)
class Placed:
    """A shape, turned and enlarged.

    x, y:      where the origin of its outline is, in pixels.
    radius:    pixels a unit of its outline.
    direction: cosine and sine of the angle it is turned by.
    extent:    xyxy of the whole shape, also where that is outside the image.
    """

    x: float
    y: float
    radius: float
    direction: tuple[float, float]
    extent: Box

    @classmethod
    def of(
        cls, label: int, *, x: float, y: float, size: float, direction: tuple[float, float]
    ) -> Placed:
        """The shape with its box around (x, y), the longer side of that being `size`."""
        points = turned(outline(label), direction)
        left, top = points.min(axis=0).tolist()
        right, bottom = points.max(axis=0).tolist()
        radius = size / max(right - left, bottom - top)
        x -= radius * (left + right) / 2
        y -= radius * (top + bottom) / 2
        extent = x + radius * left, y + radius * top, x + radius * right, y + radius * bottom
        return cls(x, y, radius, direction, extent)


def turned(points: Outline, direction: tuple[float, float]) -> Outline:
    """Points turned about the origin."""
    cosine, sine = direction
    x, y = points[:, 0], points[:, 1]
    return np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=1)


def window_of(placed: Placed, width: int, height: int, *, margin: int = 0) -> Window:
    """Rows and columns of the pixels that a shape touches, and of `margin` more around them."""
    left, top, right, bottom = placed.extent
    rows = slice(max(int(top // 1) - margin, 0), min(int(bottom // 1) + 1 + margin, height))
    columns = slice(max(int(left // 1) - margin, 0), min(int(right // 1) + 1 + margin, width))
    return rows, columns


def local(placed: Placed, window: Window) -> tuple[Field, Field]:
    """The middles of a window's pixels as the shape sees them: turned back, about its origin."""
    rows, columns = window
    cosine, sine = map(np.float32, placed.direction)
    x = np.arange(columns.start, columns.stop, dtype=np.float32) + np.float32(0.5 - placed.x)
    y = (np.arange(rows.start, rows.stop, dtype=np.float32) + np.float32(0.5 - placed.y))[:, None]
    return x * cosine + y * sine, y * cosine - x * sine


def mask_of(
    placed: Placed, distance: Callable[[Field, Field, float], Field], window: Window
) -> NDArray[np.bool_]:
    """The pixels whose middles are in the shape."""
    return distance(*local(placed, window), placed.radius) <= 0


def ribbon_distance(
    normal: tuple[float, float], offset: float, half: float, width: int, height: int
) -> Field:
    """How far each pixel of an image is outside a band, in pixels."""
    x = (np.arange(width, dtype=np.float32) + np.float32(0.5)) * np.float32(normal[0])
    y = (np.arange(height, dtype=np.float32) + np.float32(0.5)) * np.float32(normal[1])
    return np.abs(x + (y - np.float32(offset))[:, None]) - np.float32(half)


def ribbon_mask(
    normal: tuple[float, float], offset: float, half: float, width: int, height: int
) -> NDArray[np.bool_]:
    """The pixels whose middles are in a band."""
    return ribbon_distance(normal, offset, half, width, height) <= 0


def box_of(placed: Placed, label: int, width: int, height: int) -> Box:
    """The tight box, xyxy, of the part of a shape that is in the image, hidden or not."""
    left, top, right, bottom = placed.extent
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return placed.extent
    points = turned(outline(label), placed.direction) * placed.radius + (placed.x, placed.y)
    inside = clipped(points, float(width), float(height))
    (left, top), (right, bottom) = inside.min(axis=0).tolist(), inside.max(axis=0).tolist()
    return left, top, right, bottom


def clipped(points: Outline, width: float, height: float) -> Outline:
    """Both ends of what is inside an image of each segment of an outline, and the corners of the
    image that are inside the outline: `(m, 2)` points with the box of the part inside.

    By Liang and Barsky (1984), all segments at once.
    """
    ends = np.roll(points, -1, axis=0)
    delta = ends - points
    enter, leave = np.zeros(len(points)), np.ones(len(points))
    for axis, limit in enumerate((width, height)):
        flat = delta[:, axis] == 0
        step = np.where(flat, 1.0, delta[:, axis])
        first, second = -points[:, axis] / step, (limit - points[:, axis]) / step
        outside = flat & ((points[:, axis] < 0) | (points[:, axis] > limit))
        low = np.where(flat, 0.0, np.minimum(first, second))
        high = np.where(flat, np.where(outside, -1.0, 1.0), np.maximum(first, second))
        enter, leave = np.maximum(enter, low), np.minimum(leave, high)
    crossing = enter <= leave
    begins = points[crossing] + delta[crossing] * enter[crossing, None]
    stops = points[crossing] + delta[crossing] * leave[crossing, None]
    corners = [(x, y) for x in (0.0, width) for y in (0.0, height) if _contains(points, x, y)]
    vertices = np.concatenate([begins, stops, np.array(corners).reshape(-1, 2)])
    inside: Outline = np.clip(vertices, 0.0, (width, height))
    return inside


def _contains(points: Outline, x: float, y: float) -> bool:
    """Whether a ray from (x, y) to the right crosses the outline an odd number of times."""
    begins, ends = points, np.roll(points, -1, axis=0)
    across = (begins[:, 1] > y) != (ends[:, 1] > y)
    begins, ends = begins[across], ends[across]
    share = (y - begins[:, 1]) / (ends[:, 1] - begins[:, 1])
    return bool(np.count_nonzero(begins[:, 0] + share * (ends[:, 0] - begins[:, 0]) > x) % 2)
