"""The papers that shapes are cut from: colour, shading, pattern and grain."""

from __future__ import annotations

import numpy as np

from detzoo_shapes.draws import Draws
from detzoo_shapes.outlines import Field
from detzoo_shapes.palettes import Colour
from detzoo_shapes.textures import crop, edge, paper_tile, wave


def paper(
    material: str,
    first: Colour,
    second: Colour,
    *,
    u: Field,
    v: Field,
    distance: Field,
    radius: float,
    draws: Draws,
) -> Field:
    """`(3, h, w)` of one paper, 0 to 255, under the window of a shape.

    u, v:     the pixels as the shape sees them. distance: from its edge, negative inside.
    radius:   of the shape, in pixels.
    """
    shade = crop(paper_tile(), draws, *distance.shape) * np.float32(0.022)
    shade += 1
    scale = np.float32(1 / radius)
    if material == "shaded":
        shade -= (u + v) * (scale * np.float32(0.16))
    elif material == "domed":
        shade += np.clip(distance * (scale * np.float32(-2.2)), 0, 1) * np.float32(0.3) - 0.15
    if radius > 7:
        shade += _rim(distance) * np.float32(0.10)
    colour = np.array(first, np.float32)[:, None, None]
    if material in ("striped", "dotted") and radius > 10:
        other = np.array(_apart(first, second), np.float32)[:, None, None]
        pattern = _stripes(u, radius) if material == "striped" else _dots(u, v, radius)
        colour = colour + (other - colour) * pattern
    sheet: Field = colour * shade
    return sheet


def _rim(distance: Field) -> Field:
    """The bright edge of a sheet, a pixel inside of it."""
    rim: Field = np.clip(1 - np.abs(distance + np.float32(1.2)), 0, 1)
    return rim


def _apart(first: Colour, second: Colour) -> Colour:
    """The second colour, or a paler one of the first where the two are alike."""
    if sum(abs(channel - other) for channel, other in zip(first, second, strict=True)) > 90:
        return second
    red, green, blue = ((255 * 2 + level * 3) // 5 for level in first)
    return red, green, blue


def _stripes(u: Field, radius: float) -> Field:
    period = max(radius * 0.34, 6.0)
    return edge((wave(u * np.float32(1 / period)) - np.float32(0.42)) * np.float32(period / 2))


def _dots(u: Field, v: Field, radius: float) -> Field:
    period = max(radius * 0.36, 7.0)
    across = wave(u * np.float32(1 / period)) * np.float32(period / 2)
    along = wave(v * np.float32(1 / period)) * np.float32(period / 2)
    return edge(np.sqrt(across * across + along * along) - np.float32(period * 0.27))
