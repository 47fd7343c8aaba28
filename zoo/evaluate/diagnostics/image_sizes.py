"""Compares the images of predictions with the annotated ones, by file name and size."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from zoo.data import Dataset
from zoo.errors import DataError
from zoo.evaluate.predictions.predictions import Predictions
from zoo.evaluate.predictions.provenance import settings_of
from zoo.text import pluralize


class DataWarning(UserWarning):
    """Something about a data set that may spoil a number."""


def file_name_notes(predictions: Predictions, dataset: Dataset) -> tuple[str, ...]:
    """Notes on images whose file name is not the annotated one; suffixes may differ.

    Raises: DataError if no file name agrees.
    """
    names = dict(zip(dataset.truth.image_ids.tolist(), dataset.files, strict=True))
    looked = zip(predictions.image_ids.tolist(), predictions.files.tolist(), strict=True)
    both = [
        (image_id, file, names[image_id]) for image_id, file in looked if file and image_id in names
    ]
    other = [entry for entry in both if entry[1] != entry[2] and _stem(entry[1]) != _stem(entry[2])]
    if not other:
        return ()
    image_id, file, annotated = other[0]
    example = (
        f"image {image_id!r:.80} is {file!r:.80} in the predictions and {annotated!r:.80} in the "
        f"data set."
    )
    if len(other) == len(both):
        raise DataError(
            f"Predictions of {predictions.provenance.get('model', 'a model')} can't be measured on "
            f"{dataset.name}.",
            f"They are of other images: no file name agrees; {example}",
            "Name the data set that they are of, or predict on this one.",
        )
    have = "has" if len(other) == 1 else "have"
    return (
        f"{len(other):,} of {pluralize(len(both), 'image')} {have} another file name than the "
        f"predictions say: {example}",
    )


def _stem(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2]
    return (last.rpartition(".")[0] or last).casefold()


def image_size_notes(predictions: Predictions, dataset: Dataset) -> tuple[str, ...]:
    """Notes on images whose size is not the annotated one. Raises: DataError if most are."""
    sizes = map(tuple, predictions.sizes.tolist())
    looked = zip(predictions.image_ids.tolist(), sizes, strict=True)
    stored = (settings_of(predictions.provenance) or {}).get("exif") == "ignore"
    return size_notes(
        looked, dataset, model=predictions.provenance.get("model", "a model"), stored=stored
    )


def size_notes(
    looked: Iterable[tuple[int | str, tuple[int, int]]],
    dataset: Dataset,
    *,
    model: str,
    stored: bool = False,
) -> tuple[str, ...]:
    """Notes on images whose size is not the annotated one.

    looked: ids of images, and their height and width in pixels as they were read.
    stored: whether EXIF was ignored.
    Raises: DataError if most sizes differ.
    """
    declared = zip(dataset.truth.image_ids.tolist(), dataset.sizes.tolist(), strict=True)
    sizes = {
        image_id: (int(height), int(width))
        for image_id, (width, height) in declared
        if width + height > 0
    }
    both = [(image, size, sizes[image]) for image, size in looked if image in sizes]
    other = [entry for entry in both if entry[1] != entry[2]]
    if not other:
        return ()
    image_id, (height, width), (as_height, as_width) = other[0]
    case = (
        f"{len(other):,} of {pluralize(len(both), 'image')} {'has' if len(other) == 1 else 'have'} "
        "another size than is annotated; "
        f"image {image_id!r} is {width} x {height} pixels, annotated as {as_width} x {as_height}."
    )
    swapped = sum(size == declared[::-1] for _, size, declared in other)
    most = 2 * len(other) > len(both)
    if 2 * swapped > len(other):
        return _rotation_notes(
            case, swapped, most=most, stored=stored, failure=_cannot_measure(model, dataset)
        )
    if most:
        raise DataError(
            _cannot_measure(model, dataset),
            case,
            "These are other images: predict on the ones that were annotated.",
        )
    return (case,)


def _cannot_measure(model: str, dataset: Dataset) -> str:
    return f"Predictions of {model} can't be measured on {dataset.name}."


def _rotation_notes(
    case: str, swapped: int, *, most: bool, stored: bool, failure: str
) -> tuple[str, ...]:
    """Notes on images whose height and width are swapped. Raises: DataError if most are."""
    if stored:
        reason = "annotated upright and read as stored, and EXIF says to turn."
        fix, fix_cli = "Read them upright: Protocol(exif='apply').", "Leave out --exif ignore."
    else:
        reason = "turned upright by EXIF, and annotated as stored."
        fix, fix_cli = (
            "Read them as they are stored: Protocol(exif='ignore').",
            "Read them as they are stored: --exif ignore",
        )
    note = f"{case} Sizes are swapped: {swapped:,} {'is' if swapped == 1 else 'are'} {reason}"
    if most:
        raise DataError(failure, note, fix, fix_cli=fix_cli)
    return (note,)


def warn_of_sizes(cases: Iterable[str], dataset: Dataset) -> None:
    """Warns of sizes that differ, before a long run with rotated images is wasted."""
    for case in cases:
        warnings.warn(f"{dataset.name}: {case}", DataWarning, stacklevel=4)
