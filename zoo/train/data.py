"""Chooses the images that a run trains on and those that it measures, and warns if they overlap."""

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

TRAIN_SPLIT = "train"
VALIDATION_SPLITS = ("val", "valid", "validation")
SPLIT_SEED = 0  # `Dataset.split` with this seed and the same share gives the same images
log = logging.getLogger("zoo")


@dataclass(frozen=True)
class HeldOut:
    """The validation images, split off the data because none were named.

    share: of the data's images.
    seed:  of the hash that chose them.
    ids:   of the images.
    """

    share: float
    seed: int
    ids: tuple[int | str, ...]


@dataclass(frozen=True)
class TrainingSets:
    """The images of a run. held_out: how `validation` was split off, if it was."""

    train: Dataset
    validation: Dataset | None
    held_out: HeldOut | None = None

    def facts(self) -> dict[str, Any]:
        """Names and fingerprints of the data, and how it was split, for `run.json`."""
        facts: dict[str, Any] = {"data": self.train.name, "data_sha256": self.train.sha256}
        if self.train.notes:
            facts["data_notes"] = self.train.notes  # for example the commit of a Hub data set
        if self.validation is not None:
            facts["validation"] = self.validation.name
            facts["validation_sha256"] = self.validation.sha256
        if self.held_out is not None:
            facts["held_out"] = self.held_out
        return facts


def images_of(source: Any, validation: Any, share: float) -> TrainingSets:
    """The images to train on and to measure, from data sets as for `zoo.data.read`.

    Without `validation` and without a split `val`, a share of the images is split off, with a
    warning.
    Raises: DataError for training data without a box, or validation data without an image.
    """
    dataset = data_sets.read(source)
    splits = dataset.split_rows
    train = dataset.splits[TRAIN_SPLIT] if TRAIN_SPLIT in splits else _outside_splits(dataset)
    if not len(train.truth.labels):
        raise DataError(
            f"{train.name} can't be trained on.",
            f"None of its {len(train)} images has a box.",
            "Name a data set with annotations.",
        )
    if validation is not None:
        validation_images = _not_empty(_validation_split(data_sets.read(validation)))
        _warn_of_overlap(train, validation_images)
        return TrainingSets(train, validation_images)
    split = next((name for name in VALIDATION_SPLITS if name in splits), None)
    return (
        TrainingSets(train, _not_empty(dataset.splits[split])) if split else _hold_out(train, share)
    )


def _outside_splits(dataset: Dataset) -> Dataset:
    """The images that are in no split."""
    rows_in_splits = {row for rows in dataset.split_rows.values() for row in rows.tolist()}
    rows = [row for row in range(len(dataset)) if row not in rows_in_splits]
    if rows_in_splits and not rows:
        raise DataError(
            f"{dataset.name} can't be trained on.",
            f"Its images are all in the splits {', '.join(dataset.split_rows)}, and none is called "
            "train.",
            "Name a split to train on: data=zoo.data.read(PATH).splits[NAME]",
        )
    return dataset.subset(rows) if rows_in_splits else dataset


def _validation_split(dataset: Dataset) -> Dataset:
    split = next((name for name in VALIDATION_SPLITS if name in dataset.split_rows), None)
    return dataset.splits[split] if split else dataset


def _not_empty(validation: Dataset) -> Dataset:
    """The validation images. Raises: DataError if there are none."""
    if len(validation):
        return validation
    raise DataError(
        f"Nothing can be measured on {validation.name}.",
        "It has no image.",
        'Name others: validation="coco:PATH"; or fill that split, or take it out of the data set.',
        fix_cli="Name others: --validation coco:PATH; or fill that split, or take it out of the "
        "data set.",
    )


def _hold_out(train: Dataset, share: float) -> TrainingSets:
    """Splits a share of the images off for validation, unless a part would have no box."""
    if not 0 < share < 1:
        return TrainingSets(train, None)
    train_part, validation_part = train.split(train=1 - share, val=share, seed=SPLIT_SEED)
    if not len(train_part.truth.labels) or not len(validation_part.truth.labels):
        _warn(
            "%s: nothing is measured, and the last weights are kept: it has too few images with "
            "boxes to split %g of them off. Name others with validation (--validation).",
            *(train.name, share),
        )
        return TrainingSets(train, None)
    _warn(
        "%s: no validation images are named, so %s of %d were split off to be measured; name "
        "others with validation (--validation), or train on all with validation_share=0.",
        *(train.name, pluralize(len(validation_part), "image"), len(train)),
    )
    held_out = HeldOut(share, SPLIT_SEED, tuple(validation_part.truth.image_ids.tolist()))
    return TrainingSets(replace(train_part, name=train.name), validation_part, held_out)


def _warn_of_overlap(train: Dataset, measured: Dataset) -> None:
    """Warns of images that are both trained on and measured."""
    both = len(_paths(train, measured) & _paths(measured, train))
    if both or train.sha256 == measured.sha256:
        _warn(
            "%s of the %s of %s are trained on as well: their numbers show what was memorised.",
            *(both or len(measured), pluralize(len(measured), "validation image"), measured.name),
        )


def _warn(text: str, *values: object) -> None:
    """Logs a warning in the first of several processes."""
    if environment.is_first_process():
        log.warning(text, *values)


def _paths(dataset: Dataset, other: Dataset) -> set[str]:
    """Paths of a data set's files whose names the other has too."""
    names = set(files_of(other.images))
    rows = (row for row, name in enumerate(files_of(dataset.images)) if name in names)
    records = (dataset.images[row] for row in rows)
    return {str(record.path.absolute()) for record in records if record.content is None}
