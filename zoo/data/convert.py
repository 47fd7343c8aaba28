"""A data set in another format: written whole or not at all, read again, and what is lost said."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np

from zoo.data.dataset import Dataset
from zoo.data.difference import difference
from zoo.data.image_records import FolderRecords, files_of, gather
from zoo.data.losses import losses
from zoo.data.source import is_file, read, source_path, target, write_as
from zoo.data.target_names import target_names
from zoo.errors import DataError
from zoo.files import atomic_folder, copy_into, free_place, is_free, write_errors
from zoo.progress import Bar
from zoo.registry.dataset_format import DatasetFormat
from zoo.suggest import check_choice

Images: TypeAlias = Literal["copy", "none"]

_PPM = b"P6"
_QUICK = 1  # of nine levels of PNG: at 6, scenes are a tenth smaller, in twice the time


@dataclass(frozen=True)
class Conversion:
    """A data set that was written in another format.

    data:   as `zoo.data.read` takes it.
    losses: what the format can't hold, a sentence each.
    images, boxes: how many were written. copied: whether the images are with the annotations.
    checked: whether what was written was read again and is the same.
    """

    data: str
    losses: tuple[str, ...]
    images: int
    boxes: int
    copied: bool
    checked: bool


def convert(
    data: str | os.PathLike[str] | Dataset,
    to: str | os.PathLike[str],
    *,
    images: Images = "copy",
    show: bool | None = None,
) -> Conversion:
    """Writes a data set in another format, and reads it again to compare the two.

    to:     `FORMAT:FOLDER`, which is new or empty, or a file, as `coco:instances.json`.
    images: copied into the folder ("copy"), or left where they are ("none"), as they always are
        with a file.
    show:   a progress bar, as `zoo.progress.Bar` takes it.
    Raises: DataError where the data set can't be read or written, a place is taken, or an image
        that has to be copied is missing; the source is never touched.
    """
    check_choice("images", images, get_args(Images))
    dataset = read(data)
    asked = f"{dataset.name} can't be converted to '{os.fspath(to)}'."
    format_, path = target(to, asked)
    alone = is_file(format_, path)
    check_place(data, path, asked, folder=not alone)
    where = _where(dataset, format_)
    dataset = _renamed(dataset)
    if alone:
        write_as(format_, dataset, path, asked)
    else:
        _write_folder(format_, dataset, path, asked, copied=images == "copy", show=show)
    copied = images == "copy" and not alone
    name = format_.name.rpartition("/")[2]
    written = f"{name}:{path}" if copied else f"{name}:{path}{where}"
    return Conversion(
        data=written,
        losses=losses(dataset, format_.registered.holds),
        images=len(dataset),
        boxes=len(dataset.truth.labels),
        copied=copied,
        checked=_check_written(
            dataset, written, format_, asked, sure=copied or (bool(where) and _there(dataset))
        ),
    )


def _renamed(dataset: Dataset) -> Dataset:
    """The data set with the names that its images will have, no two of which are equal."""
    ids = dataset.truth.image_ids
    records = gather([dataset.images], np.arange(len(dataset)), ids)
    return replace(dataset, images=replace(records, files=target_names(dataset)))


def check_place(
    data: str | os.PathLike[str] | Dataset, path: Path, asked: str, *, folder: bool = True
) -> None:
    """Raises: DataError for a place that is the source, in it, or taken. folder: whether a folder
    is written there, and no file is replaced."""
    place = path.absolute().resolve()
    if not isinstance(data, Dataset):
        source = source_path(data)
        inside = source.is_dir() and place.is_relative_to(source.resolve())
        if inside or (source.exists() and place == source.resolve()):
            case = f"'{path}' is in the source, which is never touched."
            raise DataError(asked, case, "Name another folder.")
    if folder and not is_free(path):
        what = "is a folder with files in it" if path.is_dir() else "is a file"
        case = f"'{path}' exists already, and {what}."
        raise DataError(asked, case, f"Name a new or an empty folder, as {free_place(path)}")


def _write_folder(
    format_: DatasetFormat,
    dataset: Dataset,
    path: Path,
    asked: str,
    *,
    copied: bool,
    show: bool | None,
) -> None:
    fix = "Name a new or an empty folder with enough space."
    with write_errors(path, DataError, asked=asked, fix=fix), atomic_folder(path) as draft:
        if copied:
            with Bar("Copying images", total=len(dataset), show=show) as bar:
                copy_into(draft / format_.registered.images, _copies(dataset, bar))
        write_as(format_, dataset, draft, asked)


def _copies(dataset: Dataset, bar: Bar) -> Iterator[tuple[str, Path | bytes]]:
    """The new name and the source of each image. Raises: DataError for one that is missing."""
    for name, record in zip(files_of(dataset.images), dataset.images, strict=True):
        source = record.source()
        if isinstance(source, Path) and not source.is_file():
            case = f"Image {record.id!r} is not at {source}."
            fix = "Say which folder holds the images, images=FOLDER, or convert without them."
            raise DataError(
                "The images can't be copied.", case, fix, fix_cli=f"{fix[:-1]}: --images none"
            )
        yield name, source if isinstance(source, Path) else _compressed(name, source)
        bar.advance()


def _compressed(name: str, content: bytes) -> bytes:
    """An image of plain pixels (PPM), as a generator makes it, as the PNG that it is called; any
    other content stays as it is."""
    if not content.startswith(_PPM) or not name.lower().endswith(".png"):
        return content
    from PIL import Image  # deferred: slow

    stream = BytesIO()
    Image.open(BytesIO(content)).save(stream, "PNG", compress_level=_QUICK)
    return stream.getvalue()


def _where(dataset: Dataset, format_: DatasetFormat) -> str:
    """`,images=FOLDER` where the images are all in one folder, and the format has such an
    option."""
    images = dataset.images
    fields = getattr(format_.options, "__struct_fields__", ())
    if not isinstance(images, FolderRecords) or "images" not in fields:
        return ""
    return f",images={str(images.root).replace(',', ',,')}"


def _check_written(
    dataset: Dataset, written: str, format_: DatasetFormat, asked: str, *, sure: bool
) -> bool:
    """Whether what was written could be read again and is the same.

    sure: whether the images are found with it; a format may need them for their sizes.
    Raises: DataError where it is not the same.
    """
    try:
        lost = difference(dataset, read(written))
    except DataError:
        if sure:
            raise
        return False
    if lost and sure:
        fix = f"That is a defect of {format_.owner}: report it there."
        raise DataError(asked, f"What was written is not what was read. {lost}", fix)
    return not lost


def _there(dataset: Dataset) -> bool:
    """Whether the first image is a file that is there."""
    return all(record.path.is_file() for record in dataset.images[:1])
