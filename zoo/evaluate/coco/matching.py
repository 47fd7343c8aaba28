"""Matching detections to boxes in vectorised numpy: the readable form of `kernel/match.c`, with the
same bits.

The algorithm is COCO's (cocoeval.py `evaluateImg`): inside one image and class, best detection
first, each takes the box it overlaps most among those still free, a box that counts before one that
does not, of equals the last. Three things make it fast: only pairs inside one image and class
that reach the least threshold are looked at; a bit mask holds all thresholds at once; and all
images and classes take their first detection together, then their second, and so on.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.data.offsets import rows_of, starts_of
from zoo.evaluate.coco.flatten import FlatDetections
from zoo.evaluate.coco.iou import paired_iou
from zoo.evaluate.coco.match_records import MatchRecords, Room
from zoo.evaluate.coco.problem import MatchingProblem

_PAIRS = 1 << 19  # pairs whose overlap is computed at a time, which bounds the memory


class _Ranked(NamedTuple):
    """Detections by image, then class, then best first; only as many an image and class as the
    largest limit keeps."""

    rows: NDArray[np.int64]
    images: NDArray[np.int64]
    labels: NDArray[np.int64]
    ranks: NDArray[np.int64]


class _Pairs(NamedTuple):
    """A detection and a box that overlap enough, ascending by detection."""

    detections: NDArray[np.int64]
    boxes: NDArray[np.int64]
    ious: NDArray[np.float64]


class _Masks(NamedTuple):
    """Matches of each kept detection.

    taken, ignored: (n, r) uint16; bit t is set where it matches a box at threshold t in range r,
        and where that box is ignored.
    found, found_iou: (n,) the box it matches at the analyses' IoU, or -1, and their IoU.
    """

    taken: NDArray[np.uint16]
    ignored: NDArray[np.uint16]
    found: NDArray[np.int64]
    found_iou: NDArray[np.float64]


def match(
    flat: FlatDetections,
    images: NDArray[np.int64],
    plan: MatchingProblem,
    *,
    analyses: bool = True,
    threads: int = 1,
    room: Room | None = None,
) -> MatchRecords:
    """The outcomes of the detections of some images.

    images: (m,) the image of each group of `flat`, as a row of the ground truth; each once.
        threads, room: not used here.
    """
    del threads, room
    ranked = _rank(flat, images, plan)
    xywh = flat.xywh(ranked.rows)
    masks = _greedy(ranked, _candidates(ranked, xywh, plan), plan)
    areas = xywh[:, 2] * xywh[:, 3]
    outside = (areas[:, None] < plan.lows) | (areas[:, None] > plan.highs)  # (n, r)
    everywhere = np.uint16((1 << len(plan.thresholds)) - 1)
    ignored = masks.ignored | np.where(outside, everywhere & ~masks.taken, 0).astype(np.uint16)
    hits = np.flatnonzero((masks.taken | masks.ignored).any(1))
    nothing = (np.zeros(0, bool), np.zeros((0, 2)), np.zeros((0, 2)))
    matched, boxes, ious = _nearest(ranked, xywh, masks, plan) if analyses else nothing
    group = np.searchsorted(flat.starts, ranked.rows, side="right") - 1
    return MatchRecords(
        images=images.astype(np.int32),
        starts=starts_of(np.bincount(group, minlength=len(images))),
        scores=flat.scores[ranked.rows],
        labels=ranked.labels.astype(np.uint16),
        ranks=ranked.ranks.astype(np.uint16),
        outside=(outside << np.arange(outside.shape[1])).sum(1).astype(np.uint16),
        hits=hits,
        correct=(masks.taken & ~ignored)[hits],
        ignored=ignored[hits],
        found=matched,
        boxes=boxes.astype(np.int32),
        ious=ious.astype(np.float32),
    )


def _rank(flat: FlatDetections, images: NDArray[np.int64], plan: MatchingProblem) -> _Ranked:
    group = np.repeat(np.arange(len(images)), np.diff(flat.starts))
    order = np.lexsort(
        (-flat.scores, flat.labels, group)
    )  # stable: of equal scores the first given stays first
    cell = group[order] * len(plan.truth.label_space) + flat.labels[order]
    first = np.flatnonzero(np.diff(cell, prepend=-1))
    ranks = np.arange(len(order)) - np.repeat(first, np.diff(first, append=len(order)))
    rows = order[ranks < plan.settings.detections[-1]]
    return _Ranked(
        rows, images[group[rows]], flat.labels[rows], ranks[ranks < plan.settings.detections[-1]]
    )


def _candidates(ranked: _Ranked, xywh: NDArray[np.float64], plan: MatchingProblem) -> _Pairs:
    """Every pair inside one image and class that reaches the least threshold."""
    keys = ranked.images * len(plan.truth.label_space) + ranked.labels
    first = np.searchsorted(plan.keys, keys)
    counts = np.searchsorted(plan.keys, keys, side="right") - first
    pairs = []
    for block in blocks(counts):
        detections = np.repeat(np.arange(block.start, block.stop), counts[block])
        boxes = rows_of(first[block], counts[block])
        ious = paired_iou(xywh[detections], plan.truth.xywh[boxes], plan.truth.crowd[boxes])
        enough = ious >= plan.thresholds.min()
        pairs.append(_Pairs(detections[enough], boxes[enough], ious[enough]))
    return _Pairs(*(np.concatenate(column) for column in zip(*pairs, strict=True)))


def blocks(counts: NDArray[np.int64]) -> list[slice]:
    """Consecutive detections with about `_PAIRS` pairs each, at least one of them in each block."""
    before = starts_of(counts)
    edges = [0]
    while edges[-1] < len(counts):
        edges.append(
            max(
                edges[-1] + 1,
                int(np.searchsorted(before, before[edges[-1]] + _PAIRS, side="right")) - 1,
            )
        )
    return [slice(start, stop) for start, stop in pairwise(edges)] or [slice(0, 0)]


def _greedy(ranked: _Ranked, pairs: _Pairs, plan: MatchingProblem) -> _Masks:
    """Lets every image and class match its detections, in rounds: first detections together, then
    second ones, and so on."""
    ranges, count = len(plan.ranges), len(ranked.rows)
    taken, ignored = np.zeros((2, count, ranges), np.uint16)
    masks = _Masks(taken, ignored, np.full(count, -1), np.zeros(count))
    order = np.lexsort((-pairs.boxes, -pairs.ious, pairs.detections))  # most wanted first
    pairs = _Pairs(pairs.detections[order], pairs.boxes[order], pairs.ious[order])
    detections, first, counts = np.unique(pairs.detections, return_index=True, return_counts=True)
    bits = 1 << np.arange(len(plan.thresholds))
    reach = (pairs.ious[:, None] >= plan.thresholds) @ bits  # (p,) bit t: enough for threshold t
    cells = ranked.images[detections] * len(plan.truth.label_space) + ranked.labels[detections]
    start = np.flatnonzero(np.diff(cells, prepend=-1))
    turn = np.arange(len(cells)) - np.repeat(start, np.diff(start, append=len(cells)))
    by_turn = np.argsort(turn, kind="stable")
    free = np.full((len(plan.truth.labels), ranges), (1 << len(plan.thresholds)) - 1, np.uint16)
    for these in np.split(by_turn, np.flatnonzero(np.diff(turn[by_turn])) + 1):
        _take(
            detections[these],
            first[these],
            counts[these],
            pairs,
            reach.astype(np.uint16),
            free,
            masks,
            plan,
        )
    return masks


def _take(
    detections: NDArray[np.int64],
    first: NDArray[np.int64],
    counts: NDArray[np.int64],
    pairs: _Pairs,
    reach: NDArray[np.uint16],
    free: NDArray[np.uint16],
    masks: _Masks,
    plan: MatchingProblem,
) -> None:
    """One detection of every image and class takes what it can: boxes that count, then ignored
    ones, most wanted first."""
    everywhere = (1 << len(plan.thresholds)) - 1
    open_thresholds = np.full(
        (len(detections), len(plan.ranges)), everywhere, np.uint16
    )  # thresholds at which it has no box yet
    watched = np.uint16(1 << plan.analysed_threshold)
    for ignored_now in (False, True):
        for number in range(int(counts.max(initial=0))):
            who = np.flatnonzero(counts > number)
            pair = first[who] + number
            box = pairs.boxes[pair]
            ignored = (plan.ignore[box, None] >> np.arange(len(plan.ranges))) & 1 == 1  # (w, r)
            takes = np.where(
                ignored == ignored_now, open_thresholds[who] & reach[pair, None] & free[box], 0
            ).astype(np.uint16)
            open_thresholds[who] &= ~takes
            free[box] = np.where(plan.truth.crowd[box, None], free[box], free[box] & ~takes)
            masks.taken[detections[who]] |= np.where(plan.void[box, None], 0, takes).astype(
                np.uint16
            )
            masks.ignored[detections[who]] |= takes if ignored_now else np.uint16(0)
            here = (takes[:, 0] & watched) != 0
            masks.found[detections[who[here]]] = box[here]
            masks.found_iou[detections[who[here]]] = pairs.ious[pair[here]]


def _nearest(
    ranked: _Ranked, xywh: NDArray[np.float64], masks: _Masks, plan: MatchingProblem
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.float32]]:
    """`found`, `boxes` and `ious` of the outcomes."""
    starts, crowd = plan.truth.starts, plan.truth.crowd
    counts = np.diff(starts)[ranked.images]
    boxes = np.full((len(ranked.rows), 2), -1)
    ious = np.zeros((len(ranked.rows), 2))
    for block in blocks(counts):
        detections = np.repeat(np.arange(block.start, block.stop), counts[block])
        near = rows_of(starts[ranked.images[block]], counts[block])
        iou = np.where(
            crowd[near], 0.0, paired_iou(xywh[detections], plan.truth.xywh[near], crowd[near])
        )
        other = (plan.truth.labels[near] != ranked.labels[detections]).astype(np.int64)
        keep = iou > 0
        for column in (0, 1):
            rows = np.flatnonzero(keep & (other == column))
            rows = rows[
                np.lexsort((near[rows], -iou[rows], detections[rows]))
            ]  # of equals the first
            who, where = np.unique(detections[rows], return_index=True)
            boxes[who, column] = near[rows[where]]
            ious[who, column] = iou[rows[where]]
    matched = masks.found >= 0
    boxes[matched, 0] = masks.found[matched]
    ious[matched, 0] = masks.found_iou[matched]
    return matched, boxes, _towards_zero(ious)


def _towards_zero(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """float32 that never lies above the float64: an IoU below .5 stays below."""
    near = values.astype(np.float32)
    return np.where(near > values, np.nextafter(near, np.float32(0)), near)
