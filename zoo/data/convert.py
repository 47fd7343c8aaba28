"""Converts a data set to another format: writes all of it or nothing, reads it again to compare,
and lists what was lost."""

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
_PNG_LEVEL = 1  # of nine: at 6, scenes are a tenth smaller, in twice the time


@dataclass(frozen=True)
class Conversion:
    """A data set that was written in another format.

    data:   as `zoo.data.read` takes it.
    losses: what the format can't hold, a sentence each.
    images, boxes: how many were written. copied: whether the images were copied too.
    checked: whether the copy could be read again and is the same.
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
    images: copied into the folder ("copy"), or left where they are ("none"), as always when a
        single file is written.
    show:   a progress bar, as `zoo.progress.Bar` takes it.
    Raises: DataError if the data set can't be read or written, the destination is taken, or an
        image to copy is missing. The source is never touched.
    """
    check_choice("images", images, get_args(Images))
    dataset = read(data)
    failure = f"{dataset.name} can't be converted to '{os.fspath(to)}'."
    format_, path = target(to, failure)
    is_single_file = is_file(format_, path)
    check_place(data, path, failure, folder=not is_single_file)
    images_option = _images_option(dataset, format_)
    dataset = _with_target_names(dataset)
    if is_single_file:
        write_as(format_, dataset, path, failure)
    else:
        _write_folder(format_, dataset, path, failure, copied=images == "copy", show=show)
    copied = images == "copy" and not is_single_file
    name = format_.name.rpartition("/")[2]
    address = f"{name}:{path}" if copied else f"{name}:{path}{images_option}"
    has_images = copied or (bool(images_option) and _has_first_image(dataset))
    return Conversion(
        data=address,
        losses=losses(dataset, format_.registered.holds),
        images=len(dataset),
        boxes=len(dataset.truth.labels),
        copied=copied,
        checked=_reads_back_the_same(dataset, address, format_, failure, has_images=has_images),
    )


def _with_target_names(dataset: Dataset) -> Dataset:
    """The data set with the names that its images will have, all of them different."""
    ids = dataset.truth.image_ids
    records = gather([dataset.images], np.arange(len(dataset)), ids)
    return replace(dataset, images=replace(records, files=target_names(dataset)))


def check_place(
    data: str | os.PathLike[str] | Dataset, path: Path, failure: str, *, folder: bool = True
) -> None:
    """Checks where a data set is to be written.

    folder: a folder is written, and has to be new or empty; a single file may be replaced.
    Raises: DataError if the path is the source, is inside it, or is taken.
    """
    place = path.absolute().resolve()
    if not isinstance(data, Dataset):
        source = source_path(data)
        inside = source.is_dir() and place.is_relative_to(source.resolve())
        if inside or (source.exists() and place == source.resolve()):
            case = f"'{path}' is in the source, which is never changed."
            raise DataError(failure, case, "Name another folder.")
    if folder and not is_free(path):
        kind = "is a folder with files in it" if path.is_dir() else "is a file"
        case = f"'{path}' exists already, and {kind}."
        raise DataError(failure, case, f"Name a new or an empty folder, as {free_place(path)}")


def _write_folder(
    format_: DatasetFormat,
    dataset: Dataset,
    path: Path,
    failure: str,
    *,
    copied: bool,
    show: bool | None,
) -> None:
    fix = "Name a new or an empty folder with enough space."
    with write_errors(path, DataError, failure=failure, fix=fix), atomic_folder(path) as draft:
        if copied:
            with Bar("Copying images", total=len(dataset), show=show) as bar:
                copy_into(draft / format_.registered.images, _copies(dataset, bar))
        write_as(format_, dataset, draft, failure)


def _copies(dataset: Dataset, bar: Bar) -> Iterator[tuple[str, Path | bytes]]:
    """The new name and the source of each image. Raises: DataError if one is missing."""
    for name, record in zip(files_of(dataset.images), dataset.images, strict=True):
        source = record.source()
        if isinstance(source, Path) and not source.is_file():
            case = f"Image {record.id!r} is not at {source}."
            fix = "Say which folder holds the images, images=FOLDER, or convert without them."
            raise DataError(
                "The images can't be copied.", case, fix, fix_cli=f"{fix[:-1]}: --images none"
            )
        yield name, source if isinstance(source, Path) else _as_png(name, source)
        bar.advance()


def _as_png(name: str, content: bytes) -> bytes:
    """The PNG of an image of plain pixels (PPM), as generators make them, if it is named `.png`;
    any other content unchanged."""
    if not content.startswith(_PPM) or not name.lower().endswith(".png"):
        return content
    from PIL import Image  # deferred: slow

    stream = BytesIO()
    Image.open(BytesIO(content)).save(stream, "PNG", compress_level=_PNG_LEVEL)
    return stream.getvalue()


def _images_option(dataset: Dataset, format_: DatasetFormat) -> str:
    """`,images=FOLDER` if all images are in one folder and the format has that option; else ""."""
    images = dataset.images
    fields = getattr(format_.options, "__struct_fields__", ())
    if not isinstance(images, FolderRecords) or "images" not in fields:
        return ""
    return f",images={str(images.root).replace(',', ',,')}"


def _reads_back_the_same(
    dataset: Dataset, address: str, format_: DatasetFormat, failure: str, *, has_images: bool
) -> bool:
    """Whether the written data set could be read again and is the same.

    has_images: whether its images are found; without them, formats that need their sizes can't be
        read.
    Raises: DataError if it has its images and differs.
    """
    try:
        lost = difference(dataset, read(address))
    except DataError:
        if has_images:
            raise
        return False
    if lost and has_images:
        fix = f"That is a defect of {format_.owner}: report it there."
        raise DataError(failure, f"The written copy is not what was read. {lost}", fix)
    return not lost


def _has_first_image(dataset: Dataset) -> bool:
    """Whether the file of the first image exists; True for a data set without images."""
    return all(record.path.is_file() for record in dataset.images[:1])
