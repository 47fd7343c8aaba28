"""Which images a run trains on, and which it measures: never the same ones unasked."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from zoo import data as data_sets
from zoo import environment
from zoo.data import Dataset
from zoo.data.image_records import files_of
from zoo.errors import DataError
from zoo.text import pluralize

TRAIN = "train"
MEASURED = ("val", "valid", "validation")
SEED = 0  # of a split that is made here; `Dataset.split` with the same share gives the same images
log = logging.getLogger("zoo")


@dataclass(frozen=True)
class HeldOut:
    """The images that were split off to be measured, as nothing named any.

    share: of the images. seed: of the hash that picked them. ids: of those images.
    """

    share: float
    seed: int
    ids: tuple[int | str, ...]


@dataclass(frozen=True)
class Data:
    """The images of a run. held_out: how `validation` was made, if that was here."""

    train: Dataset
    validation: Dataset | None
    held_out: HeldOut | None = None

    def facts(self) -> dict[str, Any]:
        """Names and fingerprints of the data, and how it was split: `run.json` has them."""
        facts: dict[str, Any] = {"data": self.train.name, "data_sha256": self.train.sha256}
        if self.train.notes:
            facts["data_notes"] = self.train.notes  # as the commit that it was read from
        if self.validation is not None:
            facts["validation"] = self.validation.name
            facts["validation_sha256"] = self.validation.sha256
        if self.held_out is not None:
            facts["held_out"] = self.held_out
        return facts


def images_of(source: Any, validation: Any, share: float) -> Data:
    """The images to train on and to measure, of data sets as `zoo.data.read` takes them.

    Without `validation`, and without a split `val`, that share of the images is split off, and said
    to be.
    Raises: DataError for data without a box to learn from, or without an image to measure.
    """
    whole = data_sets.read(source)
    known = whole.split_rows
    train = whole.splits[TRAIN] if TRAIN in known else _others(whole)
    if not len(train.truth.labels):
        raise DataError(
            f"{train.name} can't be trained on.",
            f"None of its {len(train)} images has a box.",
            "Name a data set with annotations.",
        )
    if validation is not None:
        measured = _some(_measured(data_sets.read(validation)))
        _check_apart(train, measured)
        return Data(train, measured)
    named = next((name for name in MEASURED if name in known), None)
    return Data(train, _some(whole.splits[named])) if named else _held_out(train, share)


def _others(whole: Dataset) -> Dataset:
    """The images that are in no split: all of them, unless there are splits without one called
    train."""
    taken = {row for rows in whole.split_rows.values() for row in rows.tolist()}
    rows = [row for row in range(len(whole)) if row not in taken]
    if taken and not rows:
        raise DataError(
            f"{whole.name} can't be trained on.",
            f"Its images are all in the splits {', '.join(whole.split_rows)}, and none is called "
            "train.",
            "Name a split to train on: data=zoo.data.read(PATH).splits[NAME]",
        )
    return whole.subset(rows) if taken else whole


def _measured(dataset: Dataset) -> Dataset:
    named = next((name for name in MEASURED if name in dataset.split_rows), None)
    return dataset.splits[named] if named else dataset


def _some(measured: Dataset) -> Dataset:
    """The validation images. Raises: DataError if there are none, which the last step of a run
    would be too late for."""
    if len(measured):
        return measured
    raise DataError(
        f"Nothing can be measured on {measured.name}.",
        "It has no image.",
        'Name others: validation="coco:PATH"; or fill that split, or take it out of the data set.',
        fix_cli="Name others: --validation coco:PATH; or fill that split, or take it out of the "
        "data set.",
    )


def _held_out(train: Dataset, share: float) -> Data:
    """Splits a share of the images off, if both parts have a box then."""
    if not 0 < share < 1:
        return Data(train, None)
    kept, off = train.split(train=1 - share, val=share, seed=SEED)
    if not len(kept.truth.labels) or not len(off.truth.labels):
        _warn(
            "%s: nothing is measured, and the last weights are kept: it has too few images with "
            "boxes to split %g of them off. Name others with validation (--validation).",
            *(train.name, share),
        )
        return Data(train, None)
    _warn(
        "%s: no validation images are named, so %s of %d were split off to be measured; name "
        "others with validation (--validation), or train on all with validation_share=0.",
        *(train.name, pluralize(len(off), "image"), len(train)),
    )
    held_out = HeldOut(share, SEED, tuple(off.truth.image_ids.tolist()))
    return Data(replace(kept, name=train.name), off, held_out)


def _check_apart(train: Dataset, measured: Dataset) -> None:
    """Warns of images that are trained on and measured."""
    both = len(_paths(train, measured) & _paths(measured, train))
    if both or train.sha256 == measured.sha256:
        _warn(
            "%s of the %s of %s are trained on as well: their numbers say what was learned by "
            "heart.",
            *(both or len(measured), pluralize(len(measured), "validation image"), measured.name),
        )


def _warn(text: str, *values: object) -> None:
    """Of several processes, the first says it."""
    if environment.is_first_process():
        log.warning(text, *values)


def _paths(dataset: Dataset, other: Dataset) -> set[str]:
    """The files of a data set whose names the other has, too."""
    names = set(files_of(other.images))
    rows = (row for row, name in enumerate(files_of(dataset.images)) if name in names)
    records = (dataset.images[row] for row in rows)
    return {str(record.path.absolute()) for record in records if record.content is None}
