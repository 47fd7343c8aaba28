"""A corrected copy of a data set, and the list of what was changed."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.box_checks import (
    THIN,
    fractional_images,
    outside_boxes,
    repeated_boxes,
    split_names,
)
from zoo.data.box_frames import BoxFrame, box_frames
from zoo.data.box_tables import to_xywh
from zoo.data.check import Check
from zoo.data.convert import Conversion, check_place, convert
from zoo.data.dataset import Dataset
from zoo.data.finding import spelled_box, spelled_size
from zoo.data.ground_truth import GroundTruth
from zoo.data.image_checks import frame_of, leaks
from zoo.data.image_records import files_of, gather
from zoo.data.image_scan import ImageFacts
from zoo.data.masks import FewerMasks
from zoo.data.source import format_name, has_format, is_file, target
from zoo.data.split_lists import list_text
from zoo.errors import DataError
from zoo.files import write_errors, write_file
from zoo.text import pluralize

CHANGES = "changes.txt"
_READING = {
    "unreadable_annotations": "is left out",
    "repeated_image": "is left out",
    "unknown_image": "is left out",
    "unknown_class": "is left out",
    "not_finite": "is left out",
    "inverted": "gets its corners swapped",
    "annotation_id": "gets an id of its own",
}


@dataclass(frozen=True)
class Fixed:
    """A corrected copy that was written, and what was changed, a sentence each."""

    written: Conversion
    changes: tuple[str, ...]


def fix(data: str | os.PathLike[str], check: Check, to: str) -> Fixed:
    """Writes a corrected copy with a list of changes, `changes.txt`; never touches the source.

    to: a new or empty folder, in the format of the source unless another one is named.
    Raises: DataError where it can't be written, or where a file is named.
    """
    address, path = copy_place(data, to)
    dataset, changes = correct(check)
    copy = convert(dataset, address)
    with write_errors(path, DataError, fix="Name a folder that can be written."):
        write_file(path / CHANGES, list_text(changes))
    return Fixed(copy, tuple(changes))


def copy_place(data: str | os.PathLike[str], to: str) -> tuple[str, Path]:
    """Where a corrected copy is written, as `FORMAT:FOLDER` and as a path. Raises: DataError where
    it can't be: in the source, in a file, or where something is."""
    address = to if has_format(to) else f"{format_name(data)}:{to}"
    failure = f"The corrected copy can't be written to '{to}'."
    format_, path = target(address, failure)
    if is_file(format_, path):
        raise DataError(failure, "It is one file, and images are copied too.", "Name a folder.")
    check_place(data, path, failure)
    return address, path


def correct(check: Check) -> tuple[Dataset, list[str]]:
    """The data set without what can't be, and with what can be made right; and what was changed.

    Images that can't be read are left out, and of two that look the same in two splits, the one
    that is not measured; boxes of a stored frame are turned with their image; sizes are those of
    the files, and boxes of another size are scaled, or their image is left out where they fit
    none; fractions become pixels; boxes are cut at the edges of the image, and left out where
    nothing or at most a pixel is left, or where they are there twice.
    """
    changes = [
        f"{finding.image or ''}: {_describe_box(finding.box, finding.label)} "
        f"{_READING[finding.check]}. {finding.message}"
        for finding in check.findings
        if finding.check in _READING
    ]
    dataset, facts, frames = _usable(check, changes)
    dataset = _with_file_sizes(dataset, facts, frames, changes)
    return _with_possible_boxes(dataset, changes), changes


def _usable(
    check: Check, changes: list[str]
) -> tuple[Dataset, list[ImageFacts], dict[int, BoxFrame]]:
    """Without the images that can't be read, those whose boxes fit no size, and then those that are
    in another split, too; and the frames of boxes, where a size is another one."""
    data, facts = check.dataset, list(check.facts)
    names, splits_of = files_of(data.images), split_names(data)
    frames = box_frames(data, facts)
    reasons = {row: _flaw_sentence(fact.flaw) for row, fact in enumerate(facts) if fact.flaw}
    reasons |= {
        row: _frame_sentence(frame, facts[row], data.sizes[row].tolist())
        for row, frame in frames.items()
        if frame in ("reshaped", "neither")
    }
    changes += [f"{names[row]}: the image is left out. {reasons[row]}" for row in sorted(reasons)]
    out = np.zeros(len(data), bool)
    out[list(reasons)] = True
    doubted = {row for row, frame in frames.items() if frame in ("declared", "either")}
    for row, other in leaks(data, facts, without=reasons, doubted=doubted).items():
        out[row] = True
        changes.append(
            f"{names[row]}: the image is left out of {splits_of[row] or 'the rest'}. It looks like "
            f"{names[other]} of {splits_of[other] or 'the rest'}, which stays."
        )
    if not out.any():
        return data, facts, frames
    rows = np.flatnonzero(~out)
    place = np.cumsum(~out) - 1
    splits = {name: place[members[~out[members]]] for name, members in data.split_rows.items()}
    remaining = replace(data.subset(rows), split_rows=splits)
    frames = {int(place[row]): frame for row, frame in frames.items() if not out[row]}
    return remaining, [facts[row] for row in rows.tolist()], frames


def _flaw_sentence(flaw: str) -> str:
    return "There is no such file." if flaw == "missing" else f"{flaw.rstrip('.')}."


def _frame_sentence(frame: BoxFrame, facts: ImageFacts, annotated: list[float]) -> str:
    """Why an image can't be kept, or what becomes of its boxes."""
    declared, real = spelled_size(annotated), spelled_size(facts.upright)
    return {
        "file": f"its size is {real}, not {declared}.",
        "declared": f"its size is {real}, and its boxes are scaled: they were of {declared}.",
        "either": f"its size is {real}, not {declared}. Look at its boxes, which stay: they fit "
        "both sizes.",
        "reshaped": f"It has {real} pixels, and its boxes are of {declared}, another shape.",
        "neither": f"It has {real} pixels, and its boxes fit neither these nor the annotated "
        f"{declared}.",
    }[frame]


def _with_file_sizes(
    dataset: Dataset, facts: list[ImageFacts], frames: dict[int, BoxFrame], changes: list[str]
) -> Dataset:
    """With the sizes of the upright files, and boxes in their frame."""
    if not facts:
        return dataset
    truth, names = dataset.truth, files_of(dataset.images)
    boxes, other_frame = truth.boxes.copy(), []
    sizes = np.array([fact.upright for fact in facts], np.int64).reshape(-1, 2)
    for row, fact in enumerate(facts):
        annotated = dataset.sizes[row].tolist()
        if frame_of(fact, annotated) == "stored":
            rows = truth.rows(row)
            boxes[rows] = upright_boxes(boxes[rows], fact)
            other_frame.append(row)
            changes.append(f"{names[row]}: its boxes are turned, as EXIF turns the image.")
        elif row in frames:
            if frames[row] == "declared":
                boxes[truth.rows(row)] *= np.tile(sizes[row] / annotated, 2)
            other_frame.append(row)
            changes.append(f"{names[row]}: {_frame_sentence(frames[row], fact, annotated)}")
    ids = truth.image_ids
    records = gather([dataset.images], np.arange(len(dataset)), ids)
    dataset = _without_masks(dataset, other_frame, changes)
    return replace(dataset, images=replace(records, sizes=sizes), truth=_with(truth, boxes))


def _without_masks(dataset: Dataset, rows: list[int], changes: list[str]) -> Dataset:
    """Without the masks of some images, which are of the frame that these had before."""
    masks, truth, names = dataset.masks, dataset.truth, files_of(dataset.images)
    if masks is None:
        return dataset
    for row in rows:
        count = int(masks.exist(truth.ids[truth.rows(row)]).sum())
        if count:
            many = pluralize(count, "mask is", "masks are")
            changes.append(f"{names[row]}: {many} left out, as of another frame or size.")
    without = np.concatenate([[], *(truth.ids[truth.rows(row)] for row in rows)])
    return replace(dataset, masks=FewerMasks(masks, without.astype(np.int64)))


def upright_boxes(boxes: NDArray[np.float64], facts: ImageFacts) -> NDArray[np.float64]:
    """xyxy of the image as it is stored, as xyxy of the image as it is shown."""
    width, height = facts.size
    x, y = boxes[:, [0, 2]], boxes[:, [1, 3]]
    x, y = {
        1: (x, y),
        2: (width - x, y),
        3: (width - x, height - y),
        4: (x, height - y),
        5: (y, x),
        6: (height - y, x),
        7: (height - y, width - x),
        8: (y, width - x),
    }[facts.orientation]
    x, y = np.sort(x, axis=1), np.sort(y, axis=1)
    return np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], axis=1)


def _with_possible_boxes(dataset: Dataset, changes: list[str]) -> Dataset:
    """With boxes in pixels and inside, without those that have no area or are there twice."""
    fractional = fractional_images(dataset)
    boxes = dataset.truth.boxes.copy()
    of_fractions = fractional[dataset.truth.images]
    scale = np.tile(dataset.sizes, 2)[dataset.truth.images]
    boxes[of_fractions] *= scale[of_fractions]
    names = files_of(dataset.images)
    changes += [
        f"{names[row]}: its boxes are fractions, and become pixels."
        for row in np.flatnonzero(fractional).tolist()
    ]
    dataset = _without_masks(dataset, np.flatnonzero(fractional).tolist(), changes)
    dataset = replace(dataset, truth=_with(dataset.truth, boxes))
    outside = outside_boxes(dataset)
    edge = np.nan_to_num(np.tile(dataset.sizes, 2)[dataset.truth.images], nan=np.inf)
    cut = np.where(outside[:, None], np.clip(dataset.truth.boxes, 0, edge), dataset.truth.boxes)
    thin: NDArray[np.bool_] = np.asarray((cut[:, 2:] - cut[:, :2] <= THIN).any(axis=1))
    twice = repeated_boxes(dataset)[0]
    for row in np.flatnonzero(outside | thin | twice).tolist():
        if twice[row]:
            change = "left out: it is there twice."
        elif thin[row] and outside[row]:
            change = "left out: it is outside its image, but for a pixel at most."
        elif thin[row]:
            change = "left out: a side has at most one pixel."
        else:
            change = f"cut to {spelled_box(cut[row])}."
        changes.append(f"{_describe_row(dataset, row, names)} is {change}")
    keep = ~(thin | twice)
    return replace(dataset, truth=_with(dataset.truth, cut, keep))


def _with(
    truth: GroundTruth, boxes: NDArray[np.float64], keep: NDArray[np.bool_] | None = None
) -> GroundTruth:
    """The ground truth with these xyxy boxes, or some of them. Areas of boxes that changed become
    their own."""
    same = (boxes == truth.boxes).all(axis=1)
    own = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    table: dict[str, Any] = {
        "image": truth.image_ids[truth.images],
        "label": truth.labels,
        "box": np.where(same[:, None], truth.xywh, to_xywh(boxes, "xyxy")),
        "area": np.where(same, truth.areas, own),
        "crowd": truth.crowd,
        "id": truth.ids,
    } | dict(truth.box_attributes)
    if keep is not None:
        table = {name: column[keep] for name, column in table.items()}
    images = {"id": truth.image_ids} | dict(truth.image_attributes)
    return GroundTruth.of(
        images, table, label_space=truth.label_space, box_format="xywh", name=truth.name
    )


def _describe_row(dataset: Dataset, row: int, names: Any) -> str:
    truth = dataset.truth
    label = dataset.label_space.names[truth.labels[row]]
    return f"{names[truth.images[row]]}: the {label} {spelled_box(truth.boxes[row])}"


def _describe_box(box: tuple[float, ...] | None, label: str | None) -> str:
    if box is None:
        return "a record"
    return f"the {label or 'box'} {spelled_box(box)}"
