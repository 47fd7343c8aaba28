"""Whether the images that predictions are of are the ones that were annotated, by their file names
and sizes."""

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


def check_names(predictions: Predictions, dataset: Dataset) -> tuple[str, ...]:
    """Notes on images with another file name than annotated; another suffix, `.png` for `.jpg`,
    does not count.

    Raises: DataError where all have another name.
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


def check_sizes(predictions: Predictions, dataset: Dataset) -> tuple[str, ...]:
    """Notes on images of another size than annotated. Raises: DataError if most are."""
    sizes = map(tuple, predictions.sizes.tolist())
    looked = zip(predictions.image_ids.tolist(), sizes, strict=True)
    stored = (settings_of(predictions.provenance) or {}).get("exif") == "ignore"
    return compare_sizes(
        looked, dataset, model=predictions.provenance.get("model", "a model"), stored=stored
    )


def compare_sizes(
    looked: Iterable[tuple[int | str, tuple[int, int]]],
    dataset: Dataset,
    *,
    model: str,
    stored: bool = False,
) -> tuple[str, ...]:
    """looked: ids of images, and their height and width in pixels as they were read. stored:
    whether EXIF was ignored.

    Raises: DataError where most have another size than annotated.
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
        return _turned(case, swapped, most=most, stored=stored, asked=_measured(model, dataset))
    if most:
        raise DataError(
            _measured(model, dataset),
            case,
            "These are other images: predict on the ones that were annotated.",
        )
    return (case,)


def _measured(model: str, dataset: Dataset) -> str:
    return f"Predictions of {model} can't be measured on {dataset.name}."


def _turned(case: str, swapped: int, *, most: bool, stored: bool, asked: str) -> tuple[str, ...]:
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
    said = f"{case} Sizes are swapped: {swapped:,} {'is' if swapped == 1 else 'are'} {reason}"
    if most:
        raise DataError(asked, said, fix, fix_cli=fix_cli)
    return (said,)


def warn_of_sizes(cases: Iterable[str], dataset: Dataset) -> None:
    """Says it now too: turned images are the usual cause, and they are found before a long run is
    thrown away."""
    for case in cases:
        warnings.warn(f"{dataset.name}: {case}", DataWarning, stacklevel=4)
