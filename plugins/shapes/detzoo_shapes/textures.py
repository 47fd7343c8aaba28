"""Tiles of grain that scenes are textured with, and smooth fields, by arithmetic that is the same
everywhere."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.random import PCG64, SeedSequence
from numpy.typing import NDArray

from detzoo_shapes.draws import Draws
from detzoo_shapes.outlines import Field

TILE = 576  # pixels, each way; small enough for a cache
NOISES = 3  # independent tiles


@cache
def noise_tile(number: int) -> Field:
    """`(TILE, TILE)` independent values of mean 0 and deviation 1, nearly normal: sums of four
    bytes."""
    raw = PCG64(SeedSequence((number,))).random_raw(TILE * TILE // 2)
    parts = raw.astype("<u8").view(np.uint8).reshape(TILE, TILE, 4)
    total = parts.astype(np.int32).sum(axis=2) - 510
    tile: Field = (total * np.float32(1 / 147.8)).astype(np.float32)
    return tile


@cache
def paper_tile() -> Field:
    """`(TILE, TILE)` of paper: fine grain, and fibres that run along it; deviation about 1."""
    grain = noise_tile(0)
    fibres = grain.copy()
    for shift in (1, 2, 4, 8):
        fibres = fibres + np.roll(fibres, shift, axis=1)
    for shift in (1, 2):
        fibres = fibres + np.roll(fibres, shift, axis=0)
    soft = grain + np.roll(grain, 1, axis=0)
    soft = soft + np.roll(soft, 1, axis=1)
    return soft * np.float32(0.3) + fibres * np.float32(0.08)


def crop(tile: Field, draws: Draws, height: int, width: int) -> Field:
    """A window of a tile, anywhere in it; of what is larger than it, the tile again and again."""
    if height <= TILE and width <= TILE:
        top, left = draws.integer(TILE - height + 1), draws.integer(TILE - width + 1)
        return tile[top : top + height, left : left + width]
    rows, columns = np.arange(height) % TILE, np.arange(width) % TILE
    return tile[rows[:, None], columns]


def smooth_field(draws: Draws, height: int, width: int, *, knots: int = 4) -> Field:
    """`(height, width)` in [0, 1]: random values at `knots` x `knots` points, and lines between."""
    values = [[draws.uniform() for _ in range(knots)] for _ in range(knots)]
    grid = np.array(values, np.float32)
    row, low, high = _between(height, knots)
    tall = grid[low] * (1 - row)[:, None] + grid[high] * row[:, None]
    column, low, high = _between(width, knots)
    field: Field = (tall[:, low] * (1 - column) + tall[:, high] * column).astype(np.float32)
    return field


@cache
def _between(count: int, knots: int) -> tuple[Field, NDArray[np.int64], NDArray[np.int64]]:
    """For each pixel, the knots before and after it, and how near it is to the second: smoothly,
    without a crease at the knots."""
    at = (np.arange(count, dtype=np.float32) + np.float32(0.5)) * np.float32((knots - 1) / count)
    low = np.minimum(at.astype(np.int64), knots - 2)
    share = at - low.astype(np.float32)
    return share * share * (3 - 2 * share), low, low + 1


def wave(values: Field) -> Field:
    """A triangle wave of period 1, between 0 and 1."""
    part = values - np.floor(values)
    return np.abs(part * 2 - 1)


def edge(distance: Field, width: float = 1.0) -> Field:
    """1 where a distance is below zero and 0 above, over `width` pixels: antialiased coverage."""
    share = distance * np.float32(-1 / width)
    share += np.float32(0.5)
    return np.clip(share, 0, 1, out=share)
