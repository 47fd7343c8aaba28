"""Whether the images that predictions are of are the ones that were annotated, by their file names and sizes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from zoo.data import Dataset
from zoo.errors import DataError
from zoo.evaluate.predictions import Predictions
from zoo.words import counted


class DataWarning(UserWarning):
    """Something about a data set that may spoil a number."""


def check_names(seen: Predictions, dataset: Dataset) -> tuple[str, ...]:
    """What to say of images that have another file name than is annotated; an ending as `.png` for `.jpg` is none.

    Raises: DataError where all have another name.
    """
    names = dict(zip(dataset.truth.image_ids.tolist(), dataset.files, strict=True))
    looked = zip(seen.image_ids.tolist(), seen.files.tolist(), strict=True)
    both = [(image_id, file, names[image_id]) for image_id, file in looked if file and image_id in names]
    other = [one for one in both if one[1] != one[2] and _stem(one[1]) != _stem(one[2])]
    if not other:
        return ()
    image_id, file, annotated = other[0]
    example = f"image {image_id!r} is {file!r} in the predictions and {annotated!r} in the data set."
    if len(other) == len(both):
        raise DataError(
            f"Predictions of {seen.provenance.get('model', 'a model')} were to be measured on {dataset.name}.",
            f"They are of other images: no file name agrees; {example}",
            "Name the data set that they are of, or predict on this one.",
        )
    have = "has" if len(other) == 1 else "have"
    return (f"{len(other):,} of {counted(len(both), 'image')} {have} another file name than the predictions say: {example}",)


def _stem(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2]
    return (last.rpartition(".")[0] or last).casefold()


def check_sizes(seen: Predictions, dataset: Dataset) -> tuple[str, ...]:
    """What to say of pictures that have another size than annotated. Raises: DataError where most have."""
    sizes = map(tuple, seen.sizes.tolist())
    looked = zip(seen.image_ids.tolist(), sizes, strict=True)
    return compare_sizes(looked, dataset, model=seen.provenance.get("model", "a model"))


def compare_sizes(looked: Iterable[tuple[int | str, tuple[int, int]]], dataset: Dataset, *, model: str) -> tuple[str, ...]:
    """looked: ids of pictures, and their height and width in pixels as they were read.

    Raises: DataError where most have another size than annotated.
    """
    declared = zip(dataset.truth.image_ids.tolist(), dataset.sizes.tolist(), strict=True)
    sizes = {image_id: (int(height), int(width)) for image_id, (width, height) in declared if width + height > 0}
    both = [(one, size, sizes[one]) for one, size in looked if one in sizes]
    other = [one for one in both if one[1] != one[2]]
    if not other:
        return ()
    image_id, (height, width), (as_height, as_width) = other[0]
    case = (
        f"{len(other)} of {len(both)} {'picture has' if len(both) == 1 else 'pictures have'} another size than is annotated; "
        f"image {image_id!r} is {width} x {height} pixels, annotated as {as_width} x {as_height}."
    )
    if 2 * len(other) > len(both):
        raise DataError(
            f"Predictions of {model} were to be measured on {dataset.name}.",
            case,
            "These are other pictures: predict on the ones that were annotated.",
        )
    return (case,)


def warn_of_sizes(cases: Iterable[str], dataset: Dataset) -> None:
    """Says it now too: turned pictures are the usual cause, and they are found before a long run is thrown away."""
    for case in cases:
        warnings.warn(f"{dataset.name}: {case} Where they are turned, see Protocol(exif='ignore').", DataWarning, stacklevel=4)
