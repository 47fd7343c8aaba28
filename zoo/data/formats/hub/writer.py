"""Writes a data set as an image folder with metadata, which can be uploaded to the Hub as it is."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from zoo.data.dataset import Dataset
from zoo.data.formats.hub.columns import FILE_NAME, IMAGE_ID, SIZES
from zoo.data.formats.hub.layout import METADATA
from zoo.data.formats.hub.readme import DEFAULT, README
from zoo.data.target_names import target_names
from zoo.errors import DataError
from zoo.files import write_errors, write_file

IMAGES = "images"  # the folder of images that are in no split
OWN = ("bbox", "category", "area", "iscrowd", "id")
RESERVED = (FILE_NAME, IMAGE_ID, "image", "objects", *SIZES)
_SPLIT = re.compile(r"\w+(\.\w+)*")  # as the Hub's names of splits
_KINDS = {"b": "bool", "i": "int64", "u": "int64", "f": "float64", "U": "string"}


def write(dataset: Dataset, path: Path) -> None:
    """Writes a folder of images for each split, with `metadata.jsonl` in it, and a README.md whose
    header says the splits, the columns and the classes.

    Images that are in the folder already, in `images`, move to their splits.
    Raises: DataError for images in no split or in several, for names that the Hub does not have, or
        where the disk says no.
    """
    folders = _folders(dataset)
    names = target_names(dataset)
    _check_attributes(dataset)
    with write_errors(path, DataError, fix="Name a new or an empty folder."):
        for folder, rows in folders.items():
            _move(path, folder, [names[row] for row in rows])
            lines = map(msgspec.json.encode, _rows(dataset, names, rows))
            write_file(path / folder / METADATA[0], b"".join(line + b"\n" for line in lines))
        write_file(path / README, _readme(dataset, folders))


def _folders(dataset: Dataset) -> dict[str, list[int]]:
    """Folder -> its images. Raises: DataError for splits that can't be folders."""
    if not dataset.split_rows:
        return {IMAGES: list(range(len(dataset)))}
    failure = f"{dataset.name} can't be written for the Hub."
    for name in dataset.split_rows:
        if not _SPLIT.fullmatch(name):
            case = f"A split there is not called '{name}'."
            raise DataError(failure, case, "Call it by letters, digits and underscores.")
    counts = np.bincount(np.concatenate([*dataset.split_rows.values()]), minlength=len(dataset))
    if len(wrong := np.flatnonzero(counts != 1)):
        word = "several splits" if counts[wrong[0]] else "no split"
        case = (
            f"Image {dataset.truth.image_ids[wrong[0]]!s} is in {word}, and has one folder there."
        )
        raise DataError(failure, case, "Put every image into one split.")
    return {name: rows.tolist() for name, rows in dataset.split_rows.items()}


def _check_attributes(dataset: Dataset) -> None:
    """Raises: DataError for attributes that are called as other columns are."""
    truth = dataset.truth
    clashing = [name for name in truth.box_attributes if name in OWN]
    clashing += [name for name in truth.image_attributes if name in RESERVED and name not in SIZES]
    if clashing:
        case = f"An attribute is called '{clashing[0]}', which is another column there."
        raise DataError(f"{dataset.name} can't be written for the Hub.", case, "Rename it.")


def _move(path: Path, folder: str, names: Sequence[str]) -> None:
    """Moves images that were copied beforehand into the folder of their split."""
    for name in names if folder != IMAGES else ():
        if (path / IMAGES / name).is_file():
            to = path / folder / name
            to.parent.mkdir(parents=True, exist_ok=True)
            (path / IMAGES / name).replace(to)
    for place in sorted((path / IMAGES).rglob("*"), reverse=True) if folder != IMAGES else ():
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()
    if (path / IMAGES).is_dir() and not any((path / IMAGES).iterdir()):
        (path / IMAGES).rmdir()


def _rows(dataset: Dataset, names: Sequence[str], rows: Sequence[int]) -> Iterator[dict[str, Any]]:
    """The metadata of these images."""
    truth = dataset.truth
    ids = truth.image_ids.tolist()
    sizes = np.nan_to_num(dataset.sizes).astype(np.int64).tolist()
    others = {name: values.tolist() for name, values in _image_attributes(dataset).items()}
    boxes = {name: values.tolist() for name, values in _box_columns(dataset).items()}
    for row in rows:
        width, height = sizes[row]
        span = truth.rows(row)
        yield {
            FILE_NAME: names[row],
            IMAGE_ID: ids[row],
            "width": width or None,
            "height": height or None,
            **{name: _plain(values[row]) for name, values in others.items()},
            "objects": {name: list(map(_plain, values[span])) for name, values in boxes.items()},
        }


def _plain(value: Any) -> Any:
    """A value as JSON has it, which has no NaN."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _image_attributes(dataset: Dataset) -> dict[str, NDArray[Any]]:
    attributes = dataset.truth.image_attributes
    return {name: values for name, values in attributes.items() if name not in SIZES}


def _box_columns(dataset: Dataset) -> dict[str, NDArray[Any]]:
    truth = dataset.truth
    crowd = truth.crowd.astype(np.int64)
    names = np.array(dataset.label_space.names, np.str_)[truth.labels]  # whoever reads it knows
    columns: list[NDArray[Any]] = [truth.xywh, names, truth.areas, crowd, truth.ids]
    return dict(zip(OWN, columns, strict=True)) | dict(truth.box_attributes)


def _readme(dataset: Dataset, folders: Mapping[str, Sequence[int]]) -> str:
    """The page of the data set, with the header that the Hub and its tools go by."""
    lines = ["---", "task_categories:", "- object-detection", "box_format: xywh", "configs:"]
    lines += [f"- config_name: {DEFAULT}", "  data_files:"]
    if list(folders) == [IMAGES]:
        lines += [f'  - "{IMAGES}/**"']
    else:
        for split in folders:
            lines += [f"  - split: {split}", f'    path: "{split}/**"']
    lines += ["dataset_info:", f"  config_name: {DEFAULT}", "  features:", *_features(dataset)]
    title = " ".join(dataset.name.split())
    counts = f"{len(dataset):,} images, {len(dataset.truth.labels):,} boxes."
    boxes = "Boxes are left, top, width and height in pixels."
    return "\n".join([*lines, "---", "", f"# {title}", "", f"{counts} {boxes}", ""])


def _features(dataset: Dataset) -> Iterator[str]:
    """The columns, as the header of a README has them."""
    ids = dataset.truth.image_ids
    images = {IMAGE_ID: _kind(ids), **dict.fromkeys(SIZES, "int64")}
    images |= {name: _kind(values) for name, values in _image_attributes(dataset).items()}
    for name, kind in {"image": "image", **images}.items():
        yield f"  - name: {json.dumps(name, ensure_ascii=False)}"
        yield f"    dtype: {kind}"
    yield "  - name: objects"
    yield "    struct:"
    for name, values in _box_columns(dataset).items():
        yield f"    - name: {json.dumps(name, ensure_ascii=False)}"
        if name == "bbox":
            yield from ("      list:", "        list: float64", "        length: 4")
        elif name == "category":
            yield from ("      list:", "        class_label:", "          names:")
            for label, called in enumerate(dataset.label_space.names):
                yield f"            '{label}': {json.dumps(called, ensure_ascii=False)}"
        else:
            yield f"      list: {_kind(values)}"


def _kind(values: NDArray[Any]) -> str:
    return _KINDS.get(values.dtype.kind, "string")
