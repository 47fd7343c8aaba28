"""The eight classes as geometry: how far a point is from a shape, and the outline of the shape.

Lengths are in units of the circle around the shape (of the heart, of its square's half side).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Outline = NDArray[np.float64]

NAMES = ("circle", "ring", "square", "triangle", "star", "cross", "heart", "moon")

HALF = 0.7071067811865476  # the cosine of 45 degrees
HOLE = 0.5  # of a ring, the radius of its hole
ARM = 0.33  # of a cross, half the width of its arms
BITE, BITE_AT = 0.82, 0.45  # of a moon, the radius and the place of the circle cut out of it
# cosine and sine of multiples of 72 degrees, and of 60 and 36
FIFTHS = (
    (1.0, 0.0),
    (0.30901699437494745, 0.9510565162951535),
    (-0.8090169943749475, 0.5877852522924731),
    (-0.8090169943749475, -0.5877852522924731),
    (0.30901699437494745, -0.9510565162951535),
)
THIRDS = ((1.0, 0.0), (-0.5, 0.8660254037844386), (-0.5, -0.8660254037844386))
STEPS = 64  # points on a quarter of a circle


def _circle(u: Field, v: Field, r: float) -> Field:
    return np.sqrt(u * u + v * v) - np.float32(r)


def _ring(u: Field, v: Field, r: float) -> Field:
    middle, half = np.float32(r * (1 + HOLE) / 2), np.float32(r * (1 - HOLE) / 2)
    return np.abs(np.sqrt(u * u + v * v) - middle) - half


def _square(u: Field, v: Field, r: float) -> Field:
    return np.maximum(np.abs(u), np.abs(v)) - np.float32(r * HALF)


def _triangle(u: Field, v: Field, r: float) -> Field:
    _, (x, y), _ = THIRDS
    slanted = np.float32(y) * np.abs(v) + np.float32(x) * -u
    distance: Field = np.maximum(slanted, -u) - np.float32(r / 2)
    return distance


def _star(u: Field, v: Field, r: float) -> Field:
    """Inside are the points within at least four of the five lines that make a pentagram."""
    most = u
    second = np.full_like(u, -np.inf)
    for x, y in FIFTHS[1:]:
        other = u * np.float32(x) + v * np.float32(y)
        second = np.maximum(second, np.minimum(most, other))
        most = np.maximum(most, other)
    distance: Field = second - np.float32(r * FIFTHS[1][0])
    return distance


def _cross(u: Field, v: Field, r: float) -> Field:
    across, along = np.abs(u), np.abs(v)
    length = np.float32(r * _arm_length())
    inner, outer = np.minimum(across, along), np.maximum(across, along)
    distance: Field = np.maximum(inner - np.float32(r * ARM), outer - length)
    return distance


def _heart(u: Field, v: Field, r: float) -> Field:
    across, at = np.abs(u), np.float32(r * HALF)
    square = (across + np.abs(v)) * np.float32(HALF) - np.float32(r)
    x, y = across - at, v + at
    distance: Field = np.minimum(square, np.sqrt(x * x + y * y) - np.float32(r))
    return distance


def _moon(u: Field, v: Field, r: float) -> Field:
    across = v * v
    outer = np.sqrt(u * u + across) - np.float32(r)
    x = u - np.float32(r * BITE_AT)
    bite = np.float32(r * BITE) - np.sqrt(x * x + across)
    distance: Field = np.maximum(outer, bite)
    return distance


DISTANCES: tuple[Callable[[Field, Field, float], Field], ...] = (
    _circle,
    _ring,
    _square,
    _triangle,
    _star,
    _cross,
    _heart,
    _moon,
)


def _arm_length() -> float:
    return float(np.sqrt(1 - ARM * ARM))


@cache
def outline(label: int) -> Outline:
    """`(n, 2)` points of the outline of a class, in order; a ring's is that of its outer edge."""
    points = _OUTLINES[NAMES[label]]()
    points.setflags(write=False)
    return points


def _arc() -> Outline:
    """Points of the unit circle, from the right and downwards, by its rational parameter."""
    t = np.arange(STEPS) / STEPS
    cosine, sine = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
    quarter = np.stack([cosine, sine], axis=1)
    turned = np.stack([-quarter[:, 1], quarter[:, 0]], axis=1)
    half = np.concatenate([quarter, turned])
    return np.concatenate([half, -half])


def _square_outline() -> Outline:
    return np.array([(HALF, HALF), (-HALF, HALF), (-HALF, -HALF), (HALF, -HALF)])


def _triangle_outline() -> Outline:
    return np.array(THIRDS)


def _star_outline() -> Outline:
    """Five tips, and between them the corners of a smaller pentagon that is turned by 36 degrees;
    its corner opposite of tip k is between the tips k + 2 and k + 3."""
    inner = FIFTHS[1][0] / -FIFTHS[2][0]
    tips = np.array(FIFTHS)
    corners = -inner * tips[[3, 4, 0, 1, 2]]
    return np.stack([tips, corners], axis=1).reshape(-1, 2)


def _cross_outline() -> Outline:
    length = _arm_length()
    corner = [(length, -ARM), (length, ARM), (ARM, ARM)]
    quarter = np.array(corner)
    turned = np.stack([-quarter[:, 1], quarter[:, 0]], axis=1)
    return np.concatenate([quarter, turned, -quarter, -turned])


def _heart_outline() -> Outline:
    """The lowest corner, the right lobe, the left lobe; y is downwards."""
    corner = 2 * HALF
    middle = np.array([HALF, -HALF])
    circle = np.roll(_arc(), -2 * STEPS, axis=0) + middle  # begins at the left
    arc = circle[circle[:, 0] - circle[:, 1] > corner + 1e-9]
    lobe = np.concatenate([[(0.0, -corner)], arc, [(corner, 0.0)]])
    left = lobe[:0:-1] * (-1.0, 1.0)
    return np.concatenate([[(0.0, corner)], left, lobe])


def _moon_outline() -> Outline:
    """The outer arc outside the bite, and the bite's arc inside the circle, back; both end in the
    two horns."""
    arc = _arc()
    horn_x = (1 + BITE_AT**2 - BITE**2) / (2 * BITE_AT)
    horn_y = float(np.sqrt(1 - horn_x**2))
    outer = arc[arc[:, 0] < horn_x]
    bite = arc * BITE + (BITE_AT, 0.0)
    inner = bite[(bite[:, 0] < horn_x)][::-1]
    return np.concatenate([[(horn_x, horn_y)], outer, [(horn_x, -horn_y)], inner])


_OUTLINES: dict[str, Callable[[], Outline]] = {
    "circle": _arc,
    "ring": _arc,
    "square": _square_outline,
    "triangle": _triangle_outline,
    "star": _star_outline,
    "cross": _cross_outline,
    "heart": _heart_outline,
    "moon": _moon_outline,
}
