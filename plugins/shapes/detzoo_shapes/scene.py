"""Composes a scene: what lies where, in which paper, and how much of each object is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detzoo_shapes.draws import Draws
from detzoo_shapes.outlines import DISTANCES, NAMES
from detzoo_shapes.palettes import PALETTES, Palette
from detzoo_shapes.place import Placed, box_of, mask_of, ribbon_mask, window_of

SPLITS = ("train", "val", "test")
SIZES = ((320, 320), (400, 320), (320, 400), (480, 352), (352, 480), (480, 480))  # width, height
SIZE_WEIGHTS = (10, 3, 3, 2, 2, 2)
# the longer side of an object, in pixels of a scene whose shorter side is 320; octaves, and how
# often each is drawn in a sparse, a mixed and a crowded scene
OCTAVES = ((8, 16), (16, 32), (32, 64), (64, 128), (128, 266.666))
SIZE_MIX = ((1, 2, 5, 8, 5), (1, 3, 8, 7, 2), (1, 5, 10, 4, 0))
COUNTS = ((2, 6), (5, 12), (12, 26))  # least and most objects that are tried
DENSITY_WEIGHTS = (8, 9, 3)
DENSITIES = ("sparse", "mixed", "crowded")
MOST_HIDDEN = 0.45  # of an object's area in the image, by others in front of it
MATERIALS = ("plain", "shaded", "domed", "striped", "dotted")
MATERIAL_WEIGHTS = (3, 3, 3, 2, 2)
GROUNDS = ("plain", "weave", "bands", "dots", "checks")


@dataclass(frozen=True)
class Object:
    """One shape. colours: positions in the palette's papers; the second is a pattern's."""

    label: int
    placed: Placed
    colours: tuple[int, int]
    material: str
    lift: float  # how far its shadow falls, in pixels


@dataclass(frozen=True)
class Ribbon:
    """A band across the scene, of no class: its line's normal and offset, half its width."""

    normal: tuple[float, float]
    offset: float
    half: float
    colour: int


@dataclass(frozen=True)
class Light:
    """Where the scene is brightest, in fractions of it; how much dimmer the far corner is; and the
    direction that shadows fall."""

    at: tuple[float, float]
    falloff: float
    gain: float
    shadow: tuple[float, float]


@dataclass(frozen=True)
class Scene:
    """Everything that an image is rendered from, back to front.

    boxes:  (n, 4) float64 xyxy of the whole shapes, as if nothing were in front, cut at the edges.
    areas:  (n,) pixels of each shape in the image, hidden or not.
    hidden: (n,) the share of them behind other objects or ribbons.
    key:    seed, split and index, from which the renderer draws textures and noise.
    """

    key: tuple[int, int, int]
    width: int
    height: int
    palette: Palette
    density: str
    ground: str
    light: Light
    blur: int
    noise: float
    behind: tuple[Ribbon, ...]
    objects: tuple[Object, ...]
    before: tuple[Ribbon, ...]
    boxes: NDArray[np.float64] = field(repr=False)
    areas: NDArray[np.int64] = field(repr=False)
    hidden: NDArray[np.float64] = field(repr=False)

    @property
    def labels(self) -> NDArray[np.int64]:
        """(n,) positions in `NAMES`."""
        return np.array([item.label for item in self.objects], np.int64)


def compose(split: str, index: int, *, seed: int = 0, size: tuple[int, int] | None = None) -> Scene:
    """Scene `index` of a split. size: width and height; None draws one of `SIZES`."""
    key = (seed, SPLITS.index(split), index)
    draws = Draws(*key)
    drawn = SIZES[draws.weighted(SIZE_WEIGHTS)]
    width, height = size or drawn
    palette = draws.choice(PALETTES)
    density = draws.weighted(DENSITY_WEIGHTS)
    light = _light(draws)
    ground = draws.choice(GROUNDS)
    blur = draws.weighted((5, 3, 1))
    noise = draws.uniform(0.5, 7.0)
    behind = [_ribbon(draws, width, height, palette) for _ in range(draws.weighted((2, 2, 1)))]
    stack = _Stack(width, height)
    _place_objects(draws, stack, palette, density)
    before = _ribbons_in_front(draws, stack, palette)
    return Scene(
        key=key,
        width=width,
        height=height,
        palette=palette,
        density=DENSITIES[density],
        ground=ground,
        light=light,
        blur=blur,
        noise=noise,
        behind=tuple(behind),
        objects=tuple(stack.objects),
        before=tuple(before),
        boxes=np.array(stack.boxes, np.float64).reshape(-1, 4),
        areas=np.array(stack.areas, np.int64),
        hidden=stack.hidden_shares(),
    )


class _Stack:
    """The objects placed so far, and how many pixels of each object are behind others."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.objects: list[Object] = []
        self.boxes: list[tuple[float, float, float, float]] = []
        self.areas: list[int] = []
        self._hidden: list[int] = []
        self._top = np.zeros((height, width), np.int16)  # 0, or 1 + the object seen at a pixel

    def add(self, item: Object) -> bool:
        """Puts an object on top, unless it would hide too much of another."""
        window = window_of(item.placed, self.width, self.height)
        mask = mask_of(item.placed, DISTANCES[item.label], window)
        rows, columns = window
        top = self._top[rows, columns]
        area = int(np.count_nonzero(mask))
        if not area or not self._cover(top[mask]):
            return False
        top[mask] = len(self.objects) + 1
        self.objects.append(item)
        self.boxes.append(box_of(item.placed, item.label, self.width, self.height))
        self.areas.append(area)
        self._hidden.append(0)
        return True

    def cover(self, mask: NDArray[np.bool_]) -> bool:
        """Puts a ribbon on top, unless it would hide too much of an object."""
        if not self._cover(self._top[mask]):
            return False
        self._top[mask] = 0
        return True

    def _cover(self, under: NDArray[np.int16]) -> bool:
        counts = np.bincount(under, minlength=len(self.objects) + 1)[1:].tolist()
        hidden = [before + more for before, more in zip(self._hidden, counts, strict=True)]
        if any(now > MOST_HIDDEN * area for now, area in zip(hidden, self.areas, strict=True)):
            return False
        self._hidden = hidden
        return True

    def hidden_shares(self) -> NDArray[np.float64]:
        return np.array(self._hidden, np.float64) / np.array(self.areas, np.float64)


def _place_objects(draws: Draws, stack: _Stack, palette: Palette, density: int) -> None:
    least, most = COUNTS[density]
    count = least + draws.integer(most - least + 1)
    scale = min(stack.width, stack.height) / 320
    sizes = [_size(draws, density) * scale for _ in range(count)]
    sizes.sort(reverse=True)  # small ones are mostly in front, or nobody would see them
    if count > 2 and draws.chance(0.5):
        swap = draws.integer(count - 1)
        sizes[swap], sizes[swap + 1] = sizes[swap + 1], sizes[swap]
    anchors = [_somewhere(draws, stack, 0.0) for _ in range(3)]
    first, papers = 0, len(palette.papers)
    for size in sizes:
        first = (first + 1 + draws.integer(papers - 1)) % papers  # another one than just before
        colours = first, draws.integer(papers)
        label, material = draws.integer(len(NAMES)), MATERIALS[draws.weighted(MATERIAL_WEIGHTS)]
        lift = draws.uniform(0.5, 1.0) * (1.0 + size * 0.035)
        direction = draws.direction()
        for _ in range(4):
            x, y = _position(draws, stack, size, anchors if density == 2 else ())
            placed = Placed.of(label, x=x, y=y, size=size, direction=direction)
            if stack.add(Object(label, placed, colours, material, lift)):
                break


def _size(draws: Draws, density: int) -> float:
    low, high = OCTAVES[draws.weighted(SIZE_MIX[density])]
    return draws.uniform(low, high)


def _somewhere(draws: Draws, stack: _Stack, margin: float) -> tuple[float, float]:
    return (
        draws.uniform(margin, stack.width - margin),
        draws.uniform(margin, stack.height - margin),
    )


def _position(
    draws: Draws, stack: _Stack, size: float, anchors: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    """Anywhere, at least three tenths of the size from the edges; in a crowd, mostly near an
    anchor."""
    margin = 0.3 * size
    if not anchors or draws.chance(0.3):
        return _somewhere(draws, stack, margin)
    x, y = draws.choice(anchors)
    reach = 0.28 * min(stack.width, stack.height)
    x += (draws.uniform(-1, 1) + draws.uniform(-1, 1)) / 2 * reach
    y += (draws.uniform(-1, 1) + draws.uniform(-1, 1)) / 2 * reach
    return (
        min(max(x, margin), stack.width - margin),
        min(max(y, margin), stack.height - margin),
    )


def _light(draws: Draws) -> Light:
    at = draws.uniform(-0.1, 0.8), draws.uniform(-0.2, 0.6)
    falloff, gain = draws.uniform(0.08, 0.5), draws.uniform(0.95, 1.08)
    x, y = draws.direction()
    return Light(at, falloff, gain, (abs(x) * (1 if draws.chance(0.7) else -1), abs(y)))


def _ribbon(draws: Draws, width: int, height: int, palette: Palette) -> Ribbon:
    x, y = draws.direction()
    through = draws.uniform(0.1, 0.9) * width, draws.uniform(0.1, 0.9) * height
    half = draws.uniform(1.5, 7.0)
    return Ribbon((x, y), through[0] * x + through[1] * y, half, draws.integer(len(palette.papers)))


def _ribbons_in_front(draws: Draws, stack: _Stack, palette: Palette) -> list[Ribbon]:
    ribbons = []
    for _ in range(draws.weighted((6, 3, 1))):
        ribbon = _ribbon(draws, stack.width, stack.height, palette)
        mask = ribbon_mask(ribbon.normal, ribbon.offset, ribbon.half, stack.width, stack.height)
        if stack.cover(mask):
            ribbons.append(ribbon)
    return ribbons
