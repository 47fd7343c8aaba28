"""Records of how every detection was matched: compact, without boxes, and all that numbers are
computed from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.kernel_library import address
from zoo.data.offsets import rows_of, starts_of

Room = Callable[[int, Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]]  # as `Log.room`
OF_ANALYSES = (
    "found",
    "boxes",
    "ious",
)  # columns with a row a detection, where analyses are wanted
OF_DETECTIONS = (
    "scores",
    "labels",
    "ranks",
    "outside",
    *OF_ANALYSES,
)  # columns with a row a detection


@dataclass(frozen=True, eq=False)
class MatchRecords:
    """Records of m images with n kept detections; h of them match something somewhere.

    images:   (m,) int32, rows of the ground truth's image ids.
    starts:   (m + 1,) int64, the first detection of each image, and the end.
    scores:   (n,) float32 or float64; detections of an image go by class, then best first.
    labels:   (n,) uint16.
    ranks:    (n,) uint16, 0 for the best of its image and class.
    outside:  (n,) uint16, bit r: its own size is out of range r, so that it does not count there
        unless it matches.
    hits:     (h,) int64, detections that match a box at any threshold in any range, ascending.
    correct:  (h, r) uint16, bit t: a true positive at threshold t in range r.
    ignored:  (h, r) uint16, bit t: neither true nor false at threshold t in range r.

    For the analyses at IoU .5, all sizes; of length 0 where they were switched off:
    found:    (n,) bool: it matches a box of its class.
    boxes:    (n, 2) int32: the box of its class that it matches, or else overlaps most, and the box
              of another class that it overlaps most; -1 for none.
    ious:     (n, 2) float32, its IoU with them, rounded towards 0.
    """

    images: NDArray[np.int32]
    starts: NDArray[np.int64]
    scores: NDArray[Any]
    labels: NDArray[np.uint16]
    ranks: NDArray[np.uint16]
    outside: NDArray[np.uint16]
    hits: NDArray[np.int64]
    correct: NDArray[np.uint16]
    ignored: NDArray[np.uint16]
    found: NDArray[np.bool_]
    boxes: NDArray[np.int32]
    ious: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def nbytes(self) -> int:
        """Memory of the records."""
        return sum(getattr(self, column.name).nbytes for column in fields(self))

    def image_of(self) -> NDArray[np.int32]:
        """(n,) the image of each detection, as a row of the ground truth's image ids."""
        return np.repeat(self.images, np.diff(self.starts))

    def take(self, positions: NDArray[np.int64]) -> MatchRecords:
        """The records of some images, given by position here, in that order."""
        if len(positions) == len(self.images) and (positions == np.arange(len(positions))).all():
            return self
        counts = np.diff(self.starts)[positions]
        rows = rows_of(self.starts[positions], counts)
        starts = starts_of(counts)
        first_hit = np.searchsorted(self.hits, self.starts)  # (m + 1,)
        hit_counts = np.diff(first_hit)[positions]
        hits = rows_of(first_hit[positions], hit_counts)
        return MatchRecords(
            images=self.images[positions],
            starts=starts,
            **{
                column: getattr(self, column)[rows]
                for column in ("scores", "labels", "ranks", "outside")
            },
            hits=self.hits[hits] + np.repeat(starts[:-1] - self.starts[positions], hit_counts),
            correct=self.correct[hits],
            ignored=self.ignored[hits],
            **{
                column: getattr(self, column)[rows if len(self.found) else slice(0)]
                for column in ("found", "boxes", "ious")
            },
        )

    def in_order(self) -> MatchRecords:
        """The same records by ascending image, each once: what was seen decides, never when.

        Of two versions of an image the one whose records are smaller, byte by byte, stays.
        """
        order = np.argsort(self.images, kind="stable")
        again = np.flatnonzero(np.diff(self.images[order]) == 0)
        if len(again):
            position_of: dict[int, int] = {}
            for position in order.tolist():
                image = int(self.images[position])
                if image not in position_of or self._content(position) < self._content(
                    position_of[image]
                ):
                    position_of[image] = position
            order = np.array([position_of[image] for image in sorted(position_of)])
        return self.take(order)

    def _content(self, position: int) -> tuple[bytes, ...]:
        """Everything recorded about one image, to compare two versions of it by."""
        record = self.take(np.array([position]))
        columns = [
            record.scores.astype(np.float64),
            *(getattr(record, column.name) for column in fields(record) if column.name != "scores"),
        ]
        return tuple(column.tobytes() for column in columns)


class Log:
    """Outcomes as they come in, batch by batch, in arrays with room for what is still to come,
    going by what has come so far.

    Room that is never used takes no memory, so nothing is copied twice. What was
    handed out never changes: an update writes behind it, and counts only once it is there as a
    whole. total: the number of images there will be.
    """

    def __init__(self, first: MatchRecords, total: int) -> None:
        self._total = total
        self.held: MatchRecords = first
        self._room: dict[str, NDArray[Any]] = dict(vars(first))

    def absorb(self, more: Log) -> None:
        """Takes in everything of another log, which must not be used after that; all or, where it
        raises, nothing."""
        if not len(self.held.images) and not len(self._room["labels"]):
            self._room, self.held = more._room, more.held
            return
        part, count = more.held, len(self.held)
        share = self._share(len(part.images))
        room, held = dict(self._room), {}
        for name, values in vars(part).items():
            if name in ("starts", "hits"):
                values = values[1:] + count if name == "starts" else values + count
            filled = len(getattr(self.held, name))
            room[name] = _extend(room[name], filled, values, share)
            held[name] = room[name][: filled + len(values)]
        self._room, self.held = room, MatchRecords(**held)

    def room(self, images: int, like: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Arrays like some columns, behind what is there: what is written to them is absorbed
        without a copy.

        images: how many they are of.
        """
        arrays = {}
        for name, column in like.items():
            values, filled = self._room[name], len(getattr(self.held, name))
            if values.dtype != column.dtype and filled:
                arrays[name] = column
                continue
            if filled + len(column) > len(values) or values.dtype != column.dtype:
                values = _longer(
                    values, filled, filled + len(column), self._share(images), column.dtype
                )
                self._room[name] = values
            arrays[name] = values[filled : filled + len(column)]
        return arrays

    def _share(self, images: int) -> float:
        """The factor by which the records will grow, given `images` more."""
        return self._total / max(1, len(self.held.images) + images)

    def joined(self) -> MatchRecords:
        """Everything so far, in order."""
        ordered = self.held.in_order()
        if ordered is not self.held:
            self._room, self.held = dict(vars(ordered)), ordered
        return ordered


def _extend(values: NDArray[Any], filled: int, more: NDArray[Any], share: float) -> NDArray[Any]:
    """An array of at least `rows` rows; if it is too short, a new one, `share` times longer."""
    if not len(more):
        return values
    stop = filled + len(more)
    dtype = np.result_type(values, more) if filled else more.dtype
    if stop > len(values) or dtype != values.dtype:
        values = _longer(values, filled, stop, share, dtype)
    elif more.base is not None and address(values) + filled * values.strides[0] == address(more):
        return values  # it is there already
    values[filled:stop] = more
    return values


def _longer(
    values: NDArray[Any], filled: int, stop: int, share: float, dtype: np.dtype[Any]
) -> NDArray[Any]:
    longer = np.empty((max(stop, int(1.1 * stop * share)), *values.shape[1:]), dtype)
    longer[:filled] = values[:filled]
    return longer


def blank(count: int, dtype: np.dtype[Any], *, analyses: bool) -> dict[str, NDArray[Any]]:
    """Empty arrays for the records of `count` detections. dtype: of the scores."""
    like = nothing(ranges=1)
    columns = {}
    for name in OF_DETECTIONS:
        column = getattr(like, name)
        rows = 0 if name in OF_ANALYSES and not analyses else count
        columns[name] = np.empty(
            (rows, *column.shape[1:]), dtype if name == "scores" else column.dtype
        )
    return columns


@cache
def nothing(*, ranges: int) -> MatchRecords:
    """Records of no image at all; the same ones each time, for there is nothing in them to
    change."""
    return MatchRecords(
        images=np.zeros(0, np.int32),
        starts=np.zeros(1, np.int64),
        scores=np.zeros(0, np.float32),
        labels=np.zeros(0, np.uint16),
        ranks=np.zeros(0, np.uint16),
        outside=np.zeros(0, np.uint16),
        hits=np.zeros(0, np.int64),
        correct=np.zeros((0, ranges), np.uint16),
        ignored=np.zeros((0, ranges), np.uint16),
        found=np.zeros(0, bool),
        boxes=np.zeros((0, 2), np.int32),
        ious=np.zeros((0, 2), np.float32),
    )
