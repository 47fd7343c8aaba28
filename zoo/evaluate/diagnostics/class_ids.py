"""Whether detections carry the classes of the data set: matches of any class against matches of
their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from zoo.data.ground_truth import GroundTruth
from zoo.data.offsets import rows_of
from zoo.evaluate.coco.iou import paired_iou
from zoo.labels import LabelSpace, get

SOME = 10  # boxes that are in their place by no accident
FEWEST = 6  # the same of boxes that are all in place
MIN_OTHER_SHARE = 0.5  # the share of them from which on another class is not chance either
ONLY = 0.9  # the share of the detections that are of one class if a model knows no other
CLEAR = 0.6  # the share of the mistakes that one cause has to explain
REACH = 0.5  # IoU


def pairs(
    truth: GroundTruth, rows: NDArray[np.int64], xywh: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every detection and annotated box of one image that overlap by an IoU of .5 at least,
    whatever their classes.

    rows: (n,) the image of each detection. Returns positions (p,) of detections and of boxes, best
        overlap first.
    """
    counts = np.diff(truth.starts)[rows]
    near, which = rows_of(truth.starts[rows], counts), np.repeat(np.arange(len(rows)), counts)
    overlaps = paired_iou(xywh[which], truth.xywh[near], truth.crowd[near])
    order = np.argsort(-overlaps, kind="stable")[: int((overlaps >= REACH).sum())]
    return which[order], near[order]


def other_classes(
    truth: GroundTruth,
    rows: NDArray[np.int64],
    xywh: NDArray[np.float64],
    labels: NDArray[np.int64],
) -> Iterator[str]:
    """Says where most boxes are found as another class, with the likely cause.

    rows, xywh, labels: image, box and class of the best detections; classes that the data set does
        not have are negative.
    """
    exists = labels >= 0
    rows, xywh, labels = rows[exists], xywh[exists], labels[exists]
    which, near = pairs(truth, rows, xywh)
    met, own = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    met[which] = True
    own[which[labels[which] == truth.labels[near]]] = True
    other = met & ~own
    if met.sum() < FEWEST or other.sum() <= MIN_OTHER_SHARE * met.sum():
        return
    _, first = np.unique(which, return_index=True)  # the box that each overlaps most
    wrong = other[which[first]]
    detected, annotated = labels[which[first]], truth.labels[near[first]]
    if (only := _only_class(detected.tolist(), annotated.tolist())) is not None:
        yield (
            f"Of the {met.sum():,} best detections that meet an annotated box, nearly all are "
            f"'{truth.label_space.names[only]:.80}', whatever the box is. "
            "A model of this class alone does so; one of more classes does not tell them apart, as "
            "one that was trained too little."
        )
        return
    detected, annotated = detected[wrong], annotated[wrong]
    yield (
        f"Of the {len(rows):,} best detections {met.sum():,} meet an annotated box, and only "
        f"{own.sum():,} of these one of their "
        f"own class: most boxes are found as another class. "
        f"{_cause(truth, detected.tolist(), annotated.tolist())}"
    )


def _cause(truth: GroundTruth, detected: list[int], annotated: list[int]) -> str:
    """The likeliest reason for detections `said` to be of one class and to lie on boxes of
    another."""
    ids = truth.label_space.ids
    both = [(ids[wrong], ids[other]) for wrong, other in zip(detected, annotated, strict=True)]
    shifts = Counter(theirs - ours for ours, theirs in both)
    shift, often = shifts.most_common(1)[0]
    if often >= CLEAR * len(both) and abs(shift) == 1:
        side = "before" if shift > 0 else "after"
        return (
            f"Category ids look shifted by one: {often:,} detections have the id {side} that of "
            f"the box. "
            "Were classes counted from 0 in one place and from 1 in the other?"
        )
    for advice, expected in _numberings(truth).items():
        fitting = sum(
            expected(ours) == label for (ours, _), label in zip(both, annotated, strict=True)
        )
        if fitting >= CLEAR * len(both):
            return f"{advice}, as for {fitting:,} detections: write the ids of these annotations."
    (ours, theirs), often = Counter(zip(detected, annotated, strict=True)).most_common(1)[0]
    names = truth.label_space.names
    return (
        f"The most frequent mix-up is '{names[ours]:.80}' where '{names[theirs]:.80}' is "
        f"annotated, {often:,} times: "
        "are the classes those of the data set, in its order?"
    )


def _only_class(detected: list[int], annotated: list[int]) -> int | None:
    """The label that nearly all boxes are found as, whatever they are; None if there is none."""
    label, often = Counter(detected).most_common(1)[0]
    of_it = Counter(other for own, other in zip(detected, annotated, strict=True) if own == label)
    rest = often - of_it.most_common(1)[0][1]  # ids that are shifted have one class for each
    return label if often >= ONLY * len(detected) and rest >= (1 - ONLY) / 2 * often else None


def numbering(label_space: LabelSpace, written: NDArray[np.int64]) -> str:
    """The advice for category ids that a data set does not have: how they are likely to be
    counted, or which there are."""
    ids, used = set(label_space.ids), set(np.unique(written).tolist())
    ways = {
        "Category ids look like positions from 0": set(range(len(label_space))),
        "Category ids look like positions from 1": set(range(1, len(label_space) + 1)),
        "Category ids look shifted by one: each is one less": {number - 1 for number in ids},
        "Category ids look shifted by one: each is one more": {number + 1 for number in ids},
        "Category ids look like COCO's, which leave some numbers out": set(get("coco80").ids),
    }
    shown = ", ".join(map(str, sorted(ids)[:8])) + (" …" if len(ids) > 8 else "")
    likely = next((way for way, expected in ways.items() if used <= expected), None)
    advice = f"The ids of these annotations are {shown}: write those."
    return f"{likely}. {advice}" if likely else advice


def _position(written: int, *, first: int) -> int:
    """The label of an id that is written as a position from `first`."""
    return written - first


def _numberings(truth: GroundTruth) -> dict[str, Callable[[int], int | None]]:
    """Other ways in which category ids are often written: from the id written to the label that was
    meant."""
    ways: dict[str, Callable[[int], int | None]] = {}
    for first in (0, 1):
        way = (
            f"Category ids look like positions from {first}, where the annotations' ids are others"
        )
        ways[way] = partial(_position, first=first)
    coco = get("coco80")
    if len(truth.label_space) == len(coco):
        ways[
            "Category ids look like COCO's, which leave some numbers out, where the annotations' "
            "ids do not"
        ] = coco.label_of_id.get
    return ways
