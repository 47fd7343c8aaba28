"""Contact sheets of a data set: a representative few of its images with their boxes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.data.dataset import Dataset
from zoo.data.source import read
from zoo.data.splitting import hash_of
from zoo.errors import DataError, ImageError, UsageError
from zoo.progress import Bar
from zoo.text import pluralize

if TYPE_CHECKING:
    import PIL.Image

    from zoo.contract import Target
    from zoo.draw.sheet import Heading, Tile
    from zoo.labels import LabelSpace

COUNT = 24  # images on a sheet


@dataclass(frozen=True, eq=False)
class Sheets:
    """Contact sheets, and what is on them.

    images:     a sheet each, RGB. files: of the images that are shown, in their order.
    unreadable: those of them that can't be read, and why; their places are empty.
    """

    images: tuple[PIL.Image.Image, ...]
    files: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...] = ()

    def write(self, path: str | os.PathLike[str]) -> list[Path]:
        """Writes `sheet.jpg`; of several sheets `sheet-1.jpg`, `sheet-2.jpg` … Returns where.

        Raises: ImageError for a suffix of no image format, or where the disk says no.
        """
        from zoo.draw import save  # deferred: torch

        place = Path(path)
        if len(self.images) == 1:
            return [save(self.images[0], place)]
        return [
            save(image, place.with_stem(f"{place.stem}-{number}"))
            for number, image in enumerate(self.images, start=1)
        ]


def show(
    data: str | os.PathLike[str] | Dataset,
    *,
    split: str | None = None,
    count: int = COUNT,
    seed: int = 0,
    progress: bool | None = None,
) -> Sheets:
    """Draws contact sheets of a data set: images with their boxes, and a legend of its classes.

    data:  as `zoo.data.read` takes it. split: one of its splits; else all of it.
    count: images, a representative few: a hash of the seed and their ids draws and orders them.
    seed:  another one draws others. progress: a bar; None is on a terminal.
    Raises:
        DataError: the data set can't be read, has no images, or none of those drawn can be read.
        NameNotFound: it has no such split. UsageError: count is below 1.
    """
    from zoo.draw.sheet import sheet_of_rows

    dataset = part_of(read(data), split)
    rows = drawn_rows(dataset, count, seed)
    heading, tiles, flaws = _heading(dataset, len(rows), seed), [], []
    with Bar("Drawing images", total=len(rows), show=progress) as bar:
        for row in rows:
            tile, flaw = _tile(dataset, row)
            tiles.append(tile)
            flaws += [(dataset.files[row], flaw)] if flaw else []
            bar.advance()
    check_some(dataset, flaws, len(rows))
    parts = [tiles[first : first + COUNT] for first in range(0, len(tiles), COUNT)]
    sheets = [sheet_of_rows(heading, part) for part in parts]
    return Sheets(tuple(sheets), tuple(dataset.files[row] for row in rows), tuple(flaws))


def part_of(dataset: Dataset, split: str | None) -> Dataset:
    """A split of a data set, or all of it. Raises: NameNotFound."""
    return dataset if split is None else dataset.splits[split]


def drawn_rows(dataset: Dataset, count: int, seed: int) -> list[int]:
    """Positions of a representative few images: those whose ids have the lowest hashes.

    Raises: UsageError for a count below 1, DataError where there are no images.
    """
    if count < 1:
        raise UsageError(f"count={count} can't be used.", "It shows nothing.", "Write count=1.")
    if not len(dataset):
        case = "It has no images."
        raise DataError(f"{dataset.name} can't be shown.", case, "Name one that has some.")
    ids = map(str, dataset.truth.image_ids.tolist())
    hashes = np.array([hash_of(seed, key) for key in ids])
    rows: list[int] = np.argsort(hashes, kind="stable")[:count].tolist()
    return rows


def check_some(dataset: Dataset, flaws: Sequence[tuple[str, str]], count: int) -> None:
    """Raises: DataError where none of the images can be read."""
    if len(flaws) == count:
        file, flaw = flaws[0]
        failure = f"{dataset.name} can't be shown."
        many = "Its image" if count == 1 else f"None of {count} images can be read. The first"
        fix = "Say which folder holds the images: DATA,images=FOLDER"
        raise DataError(failure, f"{many}, {file}: {flaw}", fix)


def facts_of(dataset: Dataset) -> str:
    """`364 images, 4,888 boxes, 3 classes; train 205, val 87, test 72`."""
    parts = (
        pluralize(len(dataset), "image"),
        pluralize(len(dataset.truth.labels), "box", "boxes"),
        pluralize(len(dataset.label_space), "class", "classes"),
    )
    splits = [f"{name} {len(rows):,}" for name, rows in dataset.split_rows.items()]
    return f"{', '.join(parts)}{'; ' if splits else ''}{', '.join(splits)}"


def legend_of(dataset: Dataset) -> list[tuple[int, str, int]]:
    """Label, name and number of boxes of each class, the largest first."""
    counts = np.bincount(dataset.truth.labels, minlength=len(dataset.label_space))
    order = np.argsort(-counts, kind="stable").tolist()
    return [(label, dataset.label_space.names[label], int(counts[label])) for label in order]


def _heading(dataset: Dataset, shown: int, seed: int) -> Heading:
    from zoo.draw.sheet import Heading

    some = f"{shown:,} of them, drawn by a hash of their ids, seed {seed}"
    facts = [facts_of(dataset), some] if shown < len(dataset) else [facts_of(dataset)]
    return Heading(dataset.name, facts, legend_of(dataset))


def _tile(dataset: Dataset, row: int) -> tuple[Tile, str]:
    """An image with its boxes, and why it can't be read, if so."""
    from zoo.draw.image import to_pil
    from zoo.draw.sheet import Tile

    file = dataset.files[row]
    try:
        image = to_pil(dataset.image(row).pixels)
    except (DataError, ImageError) as error:
        return Tile((4, 3), None, file, error.case), error.case
    target = dataset.target(row)
    return boxes_tile(image, target, dataset.label_space, caption=file), ""


def boxes_tile(
    image: PIL.Image.Image, target: Target, label_space: LabelSpace, *, caption: str
) -> Tile:
    """An image with boxes, drawn at the size that it has on the sheet."""
    from zoo.draw.sheet import ROW_HEIGHT, Tile

    original = image.size
    image.thumbnail((4 * ROW_HEIGHT, 4 * ROW_HEIGHT), reducing_gap=3.0)

    def draw_tile(size: tuple[int, int]) -> PIL.Image.Image:
        import torch
        from PIL.Image import Resampling

        from zoo.detections import Detections
        from zoo.draw import draw

        scale = torch.tensor([size[0] / original[0], size[1] / original[1]] * 2)
        ones = torch.ones(len(target.labels))
        truth = Detections(target.boxes * scale, ones, target.labels, label_space)
        return draw(image.resize(size, Resampling.LANCZOS), truth, scores=False)

    many = pluralize(len(target.labels), "box", "boxes") if len(target.labels) else "no boxes"
    return Tile(original, draw_tile, caption, many)
