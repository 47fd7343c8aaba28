"""Whether the pictures that were looked at are the ones that were annotated, by their sizes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from zoo.data import Dataset
from zoo.errors import DataError
from zoo.evaluate.predictions import Predictions


class DataWarning(UserWarning):
    """Something about a data set that may spoil a number."""


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
