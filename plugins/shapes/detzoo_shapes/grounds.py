"""The background of a scene: two tones, a pattern that is barely there, and the grain of paper."""

from __future__ import annotations

import numpy as np

from detzoo_shapes.draws import Draws
from detzoo_shapes.outlines import Field
from detzoo_shapes.scene import Scene
from detzoo_shapes.textures import crop, edge, paper_tile, smooth_field, wave


def ground(scene: Scene, draws: Draws) -> Field:
    """`(3, height, width)` float32, 0 to 255."""
    height, width = scene.height, scene.width
    first, second = (np.array(tone, np.float32) for tone in scene.palette.ground)
    share = smooth_field(draws, height, width)
    if scene.ground != "plain":
        share = share * np.float32(0.75) + _pattern(scene.ground, draws, height, width)
    grain = crop(paper_tile(), draws, height, width) * np.float32(draws.uniform(0.012, 0.035))
    grain += 1
    canvas = np.empty((3, height, width), np.float32)
    for level, low, high in zip(canvas, first, second, strict=True):
        np.multiply(share, high - low, out=level)
        level += low
        level *= grain
    return canvas


def _pattern(kind: str, draws: Draws, height: int, width: int) -> Field:
    """`(height, width)` in [0, 0.25] or so, what is added to the share of the second tone."""
    period = draws.uniform(12.0, 44.0)
    cosine, sine = draws.direction()
    x = np.arange(width, dtype=np.float32) * np.float32(1 / period)
    y = np.arange(height, dtype=np.float32)[:, None] * np.float32(1 / period)
    u = x * np.float32(cosine) + y * np.float32(sine)
    if kind == "bands":
        return edge((wave(u) - np.float32(0.5)) * np.float32(period / 2)) * np.float32(0.3)
    v = y * np.float32(cosine) - x * np.float32(sine)
    across, along = wave(u), wave(v)
    if kind == "dots":
        near = np.sqrt(across * across + along * along) - np.float32(0.4)
        return edge(near * np.float32(period / 2)) * np.float32(0.35)
    if kind == "checks":
        soft = np.float32(period / 2)
        across_edge, along_edge = (
            edge((across - np.float32(0.5)) * soft),
            edge((along - np.float32(0.5)) * soft),
        )
        return (across_edge + along_edge) * np.float32(0.18)
    return (across * along) * np.float32(0.35)  # weave
