"""YOLO folders to a data set; a wrong line is named with its file."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.assemble import Found
from zoo.data.dataset import Dataset
from zoo.data.finding import REPORTED, current_findings, report_or_raise
from zoo.data.formats.yolo.description import SUFFIXES, description_of, is_description
from zoo.data.formats.yolo.layout import IMAGES, LABELS, label_files, layout_of
from zoo.data.formats.yolo.options import YoloOptions
from zoo.data.image_files import stem, upright_sizes, walk
from zoo.errors import DataError
from zoo.files import read_regular
from zoo.labels import LabelSpace
from zoo.text import pluralize


def recognise(folder: Path) -> bool:
    """Whether a folder has a `data.yaml`, or folders `images` and `labels` with text files."""
    files = (file for file in sorted(folder.iterdir()) if file.suffix.lower() in SUFFIXES)
    if any(is_description(file) for file in files):
        return True
    pair = (folder / IMAGES).is_dir() and (folder / LABELS).is_dir()
    return pair and bool(walk(folder / LABELS, (".txt",)))


def read(path: Path, options: YoloOptions) -> Dataset:
    """The data set of a folder with `data.yaml`, or of that file.

    An image's id is its name without suffix, in the folder of the images. One without a file of
    labels has no boxes. Numbers are fractions of the upright image, whose size its header says.
    Raises: DataError naming file and line, or the split that there is not.
    """
    description = description_of(path)
    layout = layout_of(description, options.images)
    texts, left = label_files(layout, description.root)
    lines = _Lines(names=description.names)
    for row, text in enumerate(texts):
        if text is not None:
            lines.read(text, row)
    sizes = upright_sizes([layout.folder / name for name in layout.files])
    root = description.root.absolute()
    parts = Found(
        name=options.name or root.name,
        label_space=LabelSpace.custom(description.names),
        ids=[stem(name) for name in layout.files],
        files=layout.files,
        sizes=sizes,
        rows=np.array(lines.rows, np.int64),
        boxes={"box": _pixels(lines, sizes, texts), "label": lines.labels},
        box_format="xywh",
        annotations=description.root,
        folder=layout.folder,
        splits=layout.splits,
        notes=_notes(lines, left, layout.missing),
    )
    data = parts.dataset()
    return data if options.split is None else data.splits[options.split]


@dataclass
class _Lines:
    """The boxes of all files, one after another."""

    names: Sequence[str]
    rows: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    numbers: array[float] = field(default_factory=lambda: array("d"))
    polygons: int = 0

    def read(self, path: Path, row: int) -> None:
        """Adds the boxes of one file. Raises: DataError naming file and line."""
        for number, line in enumerate(read_regular(path).splitlines(), start=1):
            words = line.split()
            if not words:
                continue
            try:
                values = self._values(words, path, number)
            except DataError as error:
                report_or_raise("unreadable_annotations", error, path.name)
                continue
            label = values[0]
            if not (label.is_integer() and 0 <= label < len(self.names)):
                count = len(self.names)
                case = f"has class {words[0].decode()!r}, and there are {count} from 0"
                report_or_raise("unknown_class", _wrong(path, number, case), path.name)
                label = REPORTED
            self.rows.append(row)
            self.labels.append(int(label))
            self.numbers.extend(values[1:])

    def _values(self, words: Sequence[bytes], path: Path, number: int) -> list[float]:
        """Class and box of one line. Raises: DataError."""
        try:
            values = list(map(float, words))
        except ValueError:
            text = b" ".join(words)[:60].decode(errors="replace")
            raise _wrong(path, number, f"is '{text}', not numbers") from None
        return values if len(values) == 5 else self._box_of_polygon(values, path, number)

    def _box_of_polygon(self, values: list[float], path: Path, number: int) -> list[float]:
        """Class and box around a polygon, `class x1 y1 x2 y2 x3 y3 …`."""
        if len(values) < 7 or len(values) % 2 == 0:
            word = "a score, as of detections" if len(values) == 6 else "something else"
            case = f"has {len(values)} numbers; a box has five, and this {word}"
            raise _wrong(path, number, case)
        self.polygons += 1
        xs, ys = values[1::2], values[2::2]
        left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
        return [values[0], (left + right) / 2, (top + bottom) / 2, right - left, bottom - top]


def _pixels(
    lines: _Lines, sizes: NDArray[np.int64], texts: Sequence[Path | None]
) -> NDArray[np.float64]:
    """(n, 4) x, y, width, height. Raises: DataError naming a file whose image has no known size."""
    fractions = np.array(lines.numbers).reshape(-1, 4)
    rows = np.array(lines.rows, np.int64)
    scale = sizes[rows].astype(np.float64)
    if (unknown := scale[:, 0] == 0).any() and current_findings() is None:
        text = texts[int(rows[unknown][0])]
        case = f"'{text}' has boxes in fractions of an image that is missing or can't be read."
        raise DataError("YOLO labels were read.", case, "Add the image, or take its labels out.")
    for row in np.flatnonzero(unknown).tolist():  # the image itself is reported
        lines.labels[row] = REPORTED
    corner = (fractions[:, :2] - fractions[:, 2:] / 2) * scale
    return np.concatenate([corner, fractions[:, 2:] * scale], axis=1)


def _notes(lines: _Lines, left: Sequence[str], missing: int) -> list[str]:
    notes = []
    if lines.polygons:
        many = pluralize(lines.polygons, "polygon is", "polygons are")
        notes.append(f"{many} read as the box around each.")
    if left:
        many = pluralize(len(left), "file of labels has", "files of labels have")
        notes.append(f"{many} no image, and are left out: {', '.join(sorted(left)[:3])}.")
    if missing:
        notes.append(f"{pluralize(missing, 'image')} of the lists of splits are not there.")
    return notes


def _wrong(path: Path, line: int, case: str) -> DataError:
    fix = "Write class x y width height: the centre, in fractions of the image."
    return DataError(f"'{path}' was read.", f"Line {line} {case}.", fix)
