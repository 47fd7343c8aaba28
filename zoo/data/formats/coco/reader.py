"""COCO's `instances.json` to a data set; a wrong record is named with its file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from zoo.data.dataset import Dataset
from zoo.data.finding import current_findings
from zoo.data.formats.coco.extras import CocoExtras
from zoo.data.formats.coco.flawed import without_flawed, without_repeated_images
from zoo.data.formats.coco.folder import PLAIN, annotation_files, stem_of
from zoo.data.formats.coco.masks import CocoMasks
from zoo.data.formats.coco.options import CocoOptions, MissingArea
from zoo.data.formats.coco.records import Category, Instances, read_instances
from zoo.data.ground_truth import GroundTruth
from zoo.data.image_records import FolderRecords
from zoo.data.json_file import content, wrong
from zoo.data.merge import merge
from zoo.data.split_lists import NAMES
from zoo.data.values import UNKNOWN
from zoo.errors import DataError, LabelError
from zoo.labels import LabelSpace
from zoo.suggest import close_matches, join_or

MOST_BOXES = 100_000  # in one image; more is a mistake, or meant to exhaust the machine
_FEW = 1 << 16  # category ids up to here are looked up in a table


def read(path: Path, options: CocoOptions) -> Dataset:
    """The data set of a COCO `instances.json`, or of a folder with one per split.

    Labels are the categories by ascending id. path: gzip may have packed the file.
    Raises: DataError naming the file and the record, or the split that there is not.
    """
    if options.images is not None and not options.images.is_dir():
        raise DataError(
            f"{path} can't be read.",
            f"'{options.images}' is not a folder.",
            "Name the folder of the images: images=FOLDER",
        )
    if path.is_dir():
        return read_folder(path, options)
    if options.split is not None:
        case = f"It is one file, and the split '{options.split}' is of a folder."
        raise DataError(f"{path} can't be read.", case, "Leave split= out, or name the folder.")
    return read_file(path, options)


def read_folder(path: Path, options: CocoOptions) -> Dataset:
    """The data set of all annotation files of a folder, each a split of it; or of one of them."""
    files = annotation_files(path)
    if options.split is not None and options.split in files:
        return read_file(files[options.split], options)
    if options.split is not None:
        suggestions = close_matches(options.split, files)
        fix = f"Did you mean {join_or(suggestions)}?" if suggestions else "Name one of them."
        raise DataError(
            f"No split named '{options.split}'.", f"{path} has {', '.join(files)}.", fix
        )
    if len(files) == 1 and next(iter(files)).lower() not in NAMES:
        return read_file(next(iter(files.values())), options)
    each = msgspec.structs.replace(options, name=None)
    folder = path.absolute()
    name = options.name or (folder.parent if folder.name in PLAIN else folder).name
    return merge(name, {split: read_file(file, each) for split, file in files.items()})


def read_file(path: Path, options: CocoOptions) -> Dataset:
    """The data set of one file. Raises: DataError naming the file and the record."""
    file = _read_records(content(path), str(path))
    label_space, notes = space_of(
        file.declared, set(np.unique(file.categories, return_counts=True)[0].tolist()), str(path)
    )
    truth = _truth(file, label_space, str(path), options.missing_area)
    by_id = np.argsort(file.image_ids, kind="stable")
    file_names = [file.files[row] or f"{file.image_ids[row]}.jpg" for row in by_id.tolist()]
    records = FolderRecords(truth.image_ids, file_names, file.sizes[by_id], path, options.images)
    name = options.name or _name(path)
    masks, extras = CocoMasks(path.absolute()), CocoExtras(path.absolute())
    return Dataset(name, records, truth, notes, masks=masks, extras=extras)


def _read_records(text: memoryview, name: str) -> Instances:
    """The content of a file; where findings are collected, without the records that can't be.

    Raises: DataError naming the first of them.
    """
    findings = current_findings()
    try:
        file = read_instances(text, name)
    except DataError:
        sound, flaws = without_flawed(text, name)
        if not flaws:
            raise
        if findings is None:
            raise wrong(name, flaws[0].message) from None
        findings += flaws
        file = read_instances(sound, name)
    return file if findings is None else without_repeated_images(file, findings)


def _name(path: Path) -> str:
    stem = stem_of(path)
    return path.absolute().parent.name if stem in PLAIN else stem


def _truth(
    file: Instances, label_space: LabelSpace, name: str, missing_area: MissingArea
) -> GroundTruth:
    unknown = np.isnan(file.areas) | (file.areas == UNKNOWN)
    if missing_area == "refuse" and unknown.any():
        case = (
            f"{_annotation(file, unknown)} has no area, and the policy refuses to take the box's."
        )
        raise wrong(name, case)
    boxes = {
        "image": file.images,
        "label": _labels(file, label_space, name),
        "box": file.boxes,
        "area": file.areas,
        "crowd": file.crowd,
        "id": file.ids,
    }
    images = {"id": file.image_ids, "width": file.sizes[:, 0], "height": file.sizes[:, 1]}
    truth = GroundTruth.of(images, boxes, label_space=label_space, box_format="xywh", name=name)
    counts = np.diff(truth.starts)
    if len(counts) and counts.max() > MOST_BOXES:
        most = int(counts.argmax())
        case = (
            f"Image {truth.image_ids[most]} has {counts[most]} boxes; more than {MOST_BOXES} are "
            f"refused."
        )
        raise wrong(name, case)
    return truth


def _labels(file: Instances, label_space: LabelSpace, name: str) -> NDArray[np.int64]:
    """Positions in the label space. Raises: DataError naming the first annotation of another
    category."""
    labels = labels_of(label_space, file.categories)
    if (unknown := labels < 0).any() and current_findings() is None:
        category = file.categories[unknown][0]
        raise wrong(
            name, f"{_annotation(file, unknown)} has category {category}, which is not declared."
        )
    return labels


def labels_of(label_space: LabelSpace, categories: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) positions in the label space of categories by id, -1 for one that it does not have."""
    pairs = sorted(label_space.label_of_id.items())
    ids, labels = np.array(pairs, np.int64).reshape(-1, 2).T
    if not len(ids) or not len(categories):
        return np.full(len(categories), -1)
    if ids[0] >= 0 and ids[-1] < _FEW:  # as nearly always: a table is ten times as fast
        table = np.full(int(ids[-1]) + 3, -1)
        table[ids + 1] = labels
        return table[np.clip(categories, -1, ids[-1] + 1) + 1]
    rows = np.minimum(np.searchsorted(ids, categories), len(ids) - 1)
    return np.where(ids[rows] == categories, labels[rows], -1)


def _annotation(file: Instances, rows: NDArray[np.bool_]) -> str:
    """The first of these annotations, for a message."""
    first = int(np.flatnonzero(rows)[0])
    return f"annotations[{first}] (id {file.ids[first]}, image {file.images[first]})"


def space_of(
    categories: Sequence[Category], used: Collection[int], name: str
) -> tuple[LabelSpace, tuple[str, ...]]:
    """The label space of some categories, and what was left out of it.

    used: the categories that boxes have. Raises: DataError if they can't be a label space.
    """
    left_out = _parents(categories, used)
    by_id = sorted(
        (category for category in categories if category not in left_out),
        key=lambda category: category.id,
    )
    for before, after in pairwise(by_id):
        if before.id == after.id:
            case = (
                f"Category id {after.id} is declared twice, as '{before.name}' and '{after.name}'."
            )
            raise wrong(name, case)
    try:
        label_space = LabelSpace(
            "custom",
            tuple(category.name for category in by_id),
            tuple(category.id for category in by_id),
        )
    except LabelError as error:  # what is wrong is in the file, and not between two label spaces
        raise wrong(name, f"Its categories can't be a label space: {error.case}") from None
    notes = [
        f"Category {category.id} is left out: it has no box, and is called '{category.name}' as "
        f"the class is whose parent it is."
        for category in left_out
    ]
    return label_space, tuple(notes)


def _parents(categories: Sequence[Category], used: Collection[int]) -> list[Category]:
    """Categories without boxes that stand for a project (Roboflow writes one), where a class of
    theirs has the same name."""
    names = Counter(category.name for category in categories)
    parents = {category.supercategory for category in categories}
    doubted = [
        category for category in categories if names[category.name] > 1 and category.name in parents
    ]
    return [
        category
        for category in doubted
        if category.id not in used and category.supercategory != category.name
    ]
