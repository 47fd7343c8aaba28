"""Names of a data set's images in a folder that is written: relative, with `/`, and none twice."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from zoo.data.dataset import Dataset
from zoo.data.image_files import stem
from zoo.data.image_records import ImageRecord, ImageRecords
from zoo.errors import DataError
from zoo.paths import OutsideFolder, check_relative


def names_below(images: Sequence[ImageRecord]) -> Sequence[str]:
    """File names below the folder of all images, as far as they have one."""
    if isinstance(images, ImageRecords) and len(set(images.files)) == len(images):
        return images.files  # else of several folders with equal names
    folders = [record.root or record.path.parent for record in images if record.content is None]
    try:
        top = os.path.commonpath([os.path.abspath(folder) for folder in folders])
    except ValueError:  # no image, or several drives
        return [record.path.name for record in images]
    return [
        record.path.as_posix()
        if record.content is not None
        else Path(os.path.relpath(record.path, top)).as_posix()
        for record in images
    ]


def slashed_names(images: Sequence[ImageRecord]) -> list[str]:
    """The same with `/` between folders, also where a Windows program wrote them."""
    return [name.replace("\\", "/") for name in names_below(images)]


def target_names(dataset: Dataset, *, by_stem: bool = False) -> list[str]:
    """The name of each image below the folder of images.

    by_stem: names differ without their suffix, too: a file of annotations each is called so.
    Raises: DataError for a name that leads out of the folder, or that two images share.
    """
    failure = f"{dataset.name} can't be written."
    used: dict[str, str] = {}
    names = slashed_names(dataset.images)
    for name in names:
        try:
            check_relative(name)
        except OutsideFolder as error:
            raise DataError(failure, f"The image name {error}.", "Rename that image.") from None
        key = stem(name) if by_stem else name
        if key in used:
            case = f"Two images would share one file of annotations: '{used[key]}' and '{name}'."
            raise DataError(failure, case, "Rename one of the two.")
        used[key] = name
    return names
