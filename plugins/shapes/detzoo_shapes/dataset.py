"""Scenes as a data set of the zoo: boxes are computed when it is read, images when they are looked
at, and nothing is a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detzoo_shapes.options import ShapesOptions
from detzoo_shapes.outlines import NAMES
from detzoo_shapes.render import render
from detzoo_shapes.scene import SPLITS, Scene, compose
from zoo.data import Dataset, GroundTruth, ImageRecord
from zoo.data.image_records import ImageRecords
from zoo.errors import DataError
from zoo.labels import LabelSpace
from zoo.progress import Bar
from zoo.suggest import close_matches, join_or

ALL = "all"
COUNTS = {"train": 4000, "val": 400, "test": 500}
FIRST_IDS = {split: number * 10_000_000 for number, split in enumerate(SPLITS)}
NOTE = "Boxes are of whole shapes, what is hidden of them included, cut at the image's edges."


def read(path: Path, options: ShapesOptions) -> Dataset:
    """`train`, `val` or `test`, or `all`, which has the three as splits. Raises: DataError."""
    name = str(path)
    if name not in (*SPLITS, ALL):
        suggestions = close_matches(name, [*SPLITS, ALL])
        raise DataError(
            f"Data set 'shapes:{name}' can't be read.",
            f"It has the splits {', '.join(SPLITS)}, and '{ALL}' is all of them.",
            f"Did you mean {join_or(f'shapes:{split}' for split in suggestions or [ALL])}?",
        )
    chosen = SPLITS if name == ALL else (name,)
    counts = tuple((split, options.count or COUNTS[split]) for split in chosen)
    return _dataset(name, counts, options.seed, options.size)


@lru_cache(maxsize=8)
def _dataset(
    name: str, counts: tuple[tuple[str, int], ...], seed: int, size: int | None
) -> Dataset:
    square = None if size is None else (size, size)
    keys = [(split, index) for split, count in counts for index in range(count)]
    scenes = []
    with Bar("Composing scenes, for their boxes", total=len(keys)) as bar:
        for split, index in keys:
            scenes.append(compose(split, index, seed=seed, size=square))
            bar.advance()
    ids = np.array([FIRST_IDS[split] + index for split, index in keys], np.int64)
    title = "shapes" if name == ALL else f"shapes_{name}"
    if seed:
        title += f"_seed{seed}"
    truth = _truth(ids, scenes, title)
    sizes = np.array([(scene.width, scene.height) for scene in scenes], np.int64)
    files = [f"{split}_{index:06d}.png" for split, index in keys]
    images = SceneRecords(truth.image_ids, files, sizes, keys, seed, square)
    rows: dict[str, NDArray[np.int64]] = {}
    if name == ALL:
        of = np.array([split for split, _ in keys])
        rows = {split: np.flatnonzero(of == split) for split, _ in counts}
    return Dataset(title, images, truth, (NOTE,), rows)


def _truth(ids: NDArray[np.int64], scenes: Sequence[Scene], title: str) -> GroundTruth:
    per_image = np.array([len(scene.objects) for scene in scenes], np.int64)
    images = {
        "id": ids,
        "density": [scene.density for scene in scenes],
        "blur": [scene.blur for scene in scenes],
        "palette": [scene.palette.name for scene in scenes],
    }
    boxes = {
        "image": np.repeat(ids, per_image),
        "label": np.concatenate([scene.labels for scene in scenes]),
        "box": np.concatenate([scene.boxes for scene in scenes]),
        "area": np.concatenate([scene.areas for scene in scenes]).astype(np.float64),
        "hidden": np.concatenate([scene.hidden for scene in scenes]),
    }
    return GroundTruth.of(images, boxes, label_space=LabelSpace.custom(NAMES), name=title)


@dataclass(frozen=True, eq=False)
class SceneRecords(ImageRecords):
    """Images that are rendered when they are looked at.

    ids, files, sizes: as in `ImageRecords`. keys: split and index of each. seed, size: as in
    `compose`.
    """

    ids: NDArray[np.int64]
    files: Sequence[str]
    sizes: NDArray[np.int64]
    keys: Sequence[tuple[str, int]]
    seed: int
    size: tuple[int, int] | None

    def record(self, row: int) -> ImageRecord:
        """One image; its pixels are made when they are asked for."""
        split, index = self.keys[row]
        width, height = self.sizes[row].tolist()
        content = partial(encoded, split, index, self.seed, self.size)
        return ImageRecord(
            self.ids[row].item(), Path(self.files[row]), width, height, content=content
        )


def encoded(split: str, index: int, seed: int, size: tuple[int, int] | None) -> bytes:
    """A scene as a PPM file, which is its pixels behind a line of text: compressing them costs more
    than rendering, and is left to whoever writes a file."""
    pixels = render(compose(split, index, seed=seed, size=size))
    height, width, _ = pixels.shape
    return b"P6\n%d %d\n255\n" % (width, height) + pixels.tobytes()
