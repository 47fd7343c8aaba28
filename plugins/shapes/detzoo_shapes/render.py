"""Renders a scene: ground, ribbons, papers with their shadows, light, blur and noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detzoo_shapes.draws import Draws
from detzoo_shapes.grounds import ground
from detzoo_shapes.outlines import DISTANCES, Field
from detzoo_shapes.papers import paper
from detzoo_shapes.place import Window, local, ribbon_distance, window_of
from detzoo_shapes.scene import Light, Object, Ribbon, Scene
from detzoo_shapes.textures import NOISES, crop, edge, noise_tile

SHADE = 0.42  # how much of the light a shadow takes


def render(scene: Scene) -> NDArray[np.uint8]:
    """`(height, width, 3)` uint8 RGB: the same bytes for the same scene, on every machine."""
    draws = Draws(*scene.key, 1)  # another stream than the composition's
    size = scene.height, scene.width
    noises = [crop(noise_tile(draws.integer(NOISES)), draws, *size) for _ in range(3)]
    canvas = ground(scene, draws)  # (3, height, width) float32, 0 to 255
    for ribbon in scene.behind:
        _draw_ribbon(canvas, ribbon, scene, lift=2)
    for item in scene.objects:
        _draw_object(canvas, item, scene, draws)
    for ribbon in scene.before:
        _draw_ribbon(canvas, ribbon, scene, lift=4)
    light = light_field(scene.light, *size)
    pixels = np.empty((*size, 3), np.uint8)
    for channel, level in enumerate(canvas):  # one after the other: each fits a cache
        level *= light
        for _ in range(scene.blur):
            level = blurred(level)
        level += noises[channel] * np.float32(scene.noise)
        level += np.float32(0.5)
        pixels[..., channel] = np.clip(level, 0, 255, out=level)
    return pixels


def _draw_object(canvas: Field, item: Object, scene: Scene, draws: Draws) -> None:
    soft = item.lift
    down, right = _fall(scene.light, item.lift)
    margin = int(soft) + 2
    window = window_of(item.placed, scene.width, scene.height, margin=margin)
    u, v = local(item.placed, window)
    radius = item.placed.radius
    distance = DISTANCES[item.label](u, v, radius)
    _cast(canvas, distance, window, down, right, soft)
    first, second = (scene.palette.papers[colour] for colour in item.colours)
    sheet = paper(
        item.material, first, second, u=u, v=v, distance=distance, radius=radius, draws=draws
    )
    part = canvas[:, window[0], window[1]]
    sheet -= part
    sheet *= edge(distance)
    part += sheet


def _draw_ribbon(canvas: Field, ribbon: Ribbon, scene: Scene, *, lift: int) -> None:
    flat = canvas.reshape(3, -1)
    down, right = _fall(scene.light, lift)
    x, y = ribbon.normal
    under = replace(ribbon, offset=ribbon.offset + down * y + right * x)
    at, distance = _near(under, scene, reach=float(lift + 1))
    flat[:, at] *= 1 - edge(distance, 1.0 + lift) * np.float32(SHADE)
    at, distance = _near(ribbon, scene, reach=1.0)
    colour = np.array(scene.palette.papers[ribbon.colour], np.float32)[:, None]
    ground = flat[:, at]
    flat[:, at] = ground + (colour - ground) * edge(distance)


def _near(ribbon: Ribbon, scene: Scene, *, reach: float) -> tuple[NDArray[np.int64], Field]:
    """The pixels in a ribbon or within `reach` of it, and how far outside it they are."""
    distance = ribbon_distance(
        ribbon.normal, ribbon.offset, ribbon.half, scene.width, scene.height
    ).reshape(-1)
    at = np.flatnonzero(distance < reach)
    return at, distance[at]


def _fall(light: Light, lift: float) -> tuple[int, int]:
    """Whole pixels down and to the right that a shadow falls."""
    x, y = light.shadow
    return int(y * lift + 0.5), int(x * lift + 100.5) - 100


def _cast(
    canvas: Field, distance: Field, window: Window, down: int, right: int, soft: float
) -> None:
    """Darkens what is below the shape of a distance field, moved down and right."""
    rows, columns = window
    _, height, width = canvas.shape
    top, left = max(rows.start + down, 0), max(columns.start + right, 0)
    bottom, stop = min(rows.stop + down, height), min(columns.stop + right, width)
    if top >= bottom or left >= stop:
        return
    moved = distance[
        top - down - rows.start : bottom - down - rows.start,
        left - right - columns.start : stop - right - columns.start,
    ]
    shade = edge(moved, 1 + soft)
    shade *= np.float32(-SHADE)
    shade += 1
    canvas[:, top:bottom, left:stop] *= shade


def light_field(light: Light, height: int, width: int) -> Field:
    """`(height, width)`: how bright each place is; the farther from the light, the dimmer."""
    x = (np.arange(width, dtype=np.float32) + np.float32(0.5)) * np.float32(1 / width)
    y = (np.arange(height, dtype=np.float32) + np.float32(0.5)) * np.float32(1 / height)
    x, y = x - np.float32(light.at[0]), y - np.float32(light.at[1])
    dimmer = (x * x) + (y * y)[:, None]
    field: Field = np.float32(light.gain) - np.minimum(dimmer, 1.5) * np.float32(light.falloff)
    return field


def blurred(level: Field) -> Field:
    """The binomial filter 1 2 1 along both axes of `(height, width)`; edges are repeated."""
    tall = level + level
    tall[1:] += level[:-1]
    tall[:-1] += level[1:]
    tall[0] += level[0]
    tall[-1] += level[-1]
    wide = tall + tall
    wide[:, 1:] += tall[:, :-1]
    wide[:, :-1] += tall[:, 1:]
    wide[:, 0] += tall[:, 0]
    wide[:, -1] += tall[:, -1]
    wide *= np.float32(1 / 16)
    return wide
