"""The compiled kernel (`kernel/*.c`) behind the same functions as the numpy modules, with the same
bits."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from zoo.data.kernel_library import FILE, address, library
from zoo.data.offsets import rows_of, starts_of
from zoo.errors import DataError
from zoo.evaluate.coco.accumulation import Curves
from zoo.evaluate.coco.flatten import FlatDetections
from zoo.evaluate.coco.match_records import MatchRecords, Room, blank
from zoo.evaluate.coco.problem import MatchingProblem
from zoo.evaluate.coco.resampling import Ranking, Replicates

_WORTH_A_THREAD = 4096  # detections; starting a thread for fewer takes longer than matching them
_NO_MEMORY = -1
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def _structure(name: str, fields: str) -> type[ctypes.Structure]:
    """A structure of kernel.h: `name:type` is an array, its address and its length; the others are
    64-bit numbers.

    A type is one of numpy's; `?` is float32 or float64, whose length is told in bytes.
    """
    kinds: list[tuple[str, Any]] = [("refused", ctypes.c_char_p)]
    arrays = {}
    for field in fields.split():
        name_of, _, dtype = field.partition(":")
        if dtype:
            arrays[name_of] = _FLOATS if dtype == "?" else (np.dtype(dtype),)
            kinds += [(name_of, ctypes.c_void_p), (f"{name_of}_count", ctypes.c_int64)]
        else:
            kinds.append((name_of, ctypes.c_int64))
    return type(name, (ctypes.Structure,), {"_fields_": kinds, "arrays": arrays})


_Match = _structure(
    "_Match",
    "starts:i8 images:i8 detections:? scores:? labels:i8 box_starts:i8 box_labels:i4 box_xywh:f8 "
    "crowd:b1 uncounted:b1"
    " ignore:u2 narrow narrow_scores corners classes ranges thresholds watched limit analyses "
    "lows:f8 highs:f8 ious:f8"
    " kept:i8 kept_scores:? kept_labels:u2 ranks:u2 outside:u2 correct:u2 ignored:u2 hit:b1 "
    "found:b1 boxes:i4 box_ious:f4",
)
_Sort = _structure("_Sort", "classes narrow scores:? labels:u2 edges:i8 order:u4")
_Accumulate = _structure(
    "_Accumulate",
    "narrow scores:? ranks:u2 outside:u2 correct:u2 ignored:u2 hits:i8 order:u4 edges:i8"
    " classes ranges thresholds points limits curves limit_of:i8 curve_of:i8 positives:i8 "
    "recalls:f8"
    " precision:f8 reached_at:f8 recall:f8",
)
_Resample = _structure(
    "_Resample",
    "replicates images weights:u4 edges:i8 image:u4 tied:u4 outside:u2 ranks:u2 hit:b1 correct:u2 "
    "ignored:u2"
    " box_edges:i8 box_image:u4 box_ignore:u2 classes ranges thresholds points limits limit "
    "limit_of:i8 recalls:f8"
    " precision:f8 recall:f8 alone:f8 limited:f8 of_class:f8",
)


class Kernel:
    """The kernel, loaded. Raises: OSError where it was not built here, or is of another version."""

    name = "kernel"
    lanes = 32  # LANES in kernel/resample.h

    def __init__(self, file: Path = FILE) -> None:
        self._library = library(file)
        self._constants: WeakKeyDictionary[MatchingProblem, ctypes.Structure] = WeakKeyDictionary()

    def call(
        self, function: str, kind: Any, threads: int, **values: int | NDArray[np.generic]
    ) -> None:
        """Fills in a structure and calls; `values` keeps the arrays alive.

        Raises: DataError where the kernel refuses its arguments: an array was changed after it was
            checked.
        """
        self._run(function, _fill(function, kind(), values), threads)

    def _run(self, function: str, arguments: Any, threads: int) -> None:
        returned = self._library[function](ctypes.byref(arguments), ctypes.c_int64(max(1, threads)))
        if returned == _NO_MEMORY:
            raise MemoryError(f"the kernel's {function} found no memory")
        if returned:
            raise _kernel_error(function, (arguments.refused or b"").decode())

    def _of_plan(self, plan: MatchingProblem) -> ctypes.Structure:
        """The arguments of a match that every batch has in common, checked once."""
        arguments = self._constants.get(plan)
        if arguments is None:
            truth = plan.truth
            values: dict[str, int | NDArray[Any]] = {
                "box_starts": truth.starts,
                "box_labels": truth.labels,
                "box_xywh": truth.xywh,
                "crowd": truth.crowd,
                "uncounted": plan.void,
                "ignore": plan.ignore,
                "lows": plan.lows,
                "highs": plan.highs,
                "ious": plan.thresholds,
                "classes": len(truth.label_space),
                "ranges": len(plan.ranges),
                "thresholds": len(plan.thresholds),
                "watched": plan.analysed_threshold,
                "limit": plan.settings.detections[-1],
            }
            arguments = self._constants[plan] = _fill("match", _Match(), values)
        return _Match.from_buffer_copy(arguments)

    def match(
        self,
        flat: FlatDetections,
        images: NDArray[np.int64],
        plan: MatchingProblem,
        *,
        analyses: bool = True,
        threads: int = 1,
        room: Room | None = None,
    ) -> MatchRecords:
        """See `matching.match`. room: returns arrays for the records, like the given ones."""
        count, ranges = len(flat.scores), len(plan.ranges)
        images = np.ascontiguousarray(images, np.int64)
        counts, hit = np.zeros(len(images), np.int64), np.empty(count, bool)
        correct, ignored = np.empty((2, count, ranges), np.uint16)
        columns: Mapping[str, NDArray[Any]] = blank(count, flat.scores.dtype, analyses=analyses)
        columns = room(len(images), columns) if room else columns
        arguments = self._of_plan(plan)
        values: dict[str, int | NDArray[Any]] = {
            **_of_detections(flat),
            "images": images,
            "analyses": int(analyses),
            "kept": counts,
            "kept_scores": columns["scores"],
            "kept_labels": columns["labels"],
            "correct": correct,
            "ignored": ignored,
            "hit": hit,
            "box_ious": columns["ious"],
        }
        values.update({name: columns[name] for name in ("ranks", "outside", "found", "boxes")})
        self._run(
            "match", _fill("match", arguments, values), min(threads, 1 + count // _WORTH_A_THREAD)
        )
        if counts.sum() < count:
            rows = rows_of(flat.starts[:-1], counts)
            columns = {
                name: column[rows] if len(column) else column for name, column in columns.items()
            }
            hit, correct, ignored = hit[rows], correct[rows], ignored[rows]
        hits = np.flatnonzero(hit)
        return MatchRecords(
            images=images.astype(np.int32),
            starts=starts_of(counts),
            hits=hits,
            correct=correct[hits],
            ignored=ignored[hits],
            **columns,
        )

    def by_score(
        self, outcomes: MatchRecords, classes: int, *, threads: int = 1
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """See `accumulation.by_score`."""
        order, edges = np.empty(len(outcomes), np.uint32), np.empty(classes + 1, np.int64)
        self.call(
            "sort_by_class_and_score",
            _Sort,
            threads,
            classes=classes,
            narrow=_narrow(outcomes.scores),
            scores=outcomes.scores,
            labels=outcomes.labels,
            edges=edges,
            order=order,
        )
        return order, edges

    def accumulate(
        self,
        outcomes: MatchRecords,
        plan: MatchingProblem,
        positives: NDArray[np.int64],
        *,
        limits: Sequence[int],
        scores: bool = True,
        threads: int = 1,
    ) -> Curves:
        """See `accumulate.accumulate`."""
        curves = Curves.blank(limits, positives, plan, scores=scores)
        order, edges = self.by_score(outcomes, positives.shape[1], threads=threads)
        self.call(
            "accumulate",
            _Accumulate,
            threads,
            narrow=_narrow(outcomes.scores),
            scores=outcomes.scores,
            ranks=outcomes.ranks,
            outside=outcomes.outside,
            correct=outcomes.correct,
            ignored=outcomes.ignored,
            hits=outcomes.hits,
            order=order,
            edges=edges,
            classes=positives.shape[1],
            ranges=positives.shape[0],
            thresholds=len(plan.settings.ious),
            points=plan.settings.recalls,
            limits=len(plan.settings.detections),
            curves=len(limits),
            limit_of=np.array(plan.settings.detections, np.int64),
            curve_of=np.array(limits, np.int64),
            positives=np.ascontiguousarray(positives, np.int64),
            recalls=plan.settings.recall_points(),
            precision=curves.precision,
            reached_at=curves.scores,
            recall=curves.recall,
        )
        return curves

    def resample(
        self,
        ranking: Ranking,
        plan: MatchingProblem,
        weights: NDArray[np.uint32],
        *,
        limit: int,
        threads: int = 1,
    ) -> Replicates:
        """See `resampling.resample`."""
        replicates = Replicates.blank(len(weights), plan)
        self.call(
            "resample",
            _Resample,
            threads,
            replicates=len(weights),
            images=weights.shape[1],
            weights=np.ascontiguousarray(weights, np.uint32),
            edges=ranking.edges,
            image=ranking.images,
            tied=ranking.tied,
            outside=ranking.outside,
            ranks=ranking.ranks,
            hit=ranking.hit,
            correct=ranking.correct,
            ignored=ranking.ignored,
            box_edges=ranking.box_edges,
            box_image=ranking.box_images,
            box_ignore=ranking.box_ignore,
            classes=len(plan.truth.label_space),
            ranges=len(plan.ranges),
            thresholds=len(plan.settings.ious),
            points=plan.settings.recalls,
            limits=len(plan.settings.detections),
            limit=limit,
            limit_of=np.array(plan.settings.detections, np.int64),
            recalls=plan.settings.recall_points(),
            precision=replicates.precision,
            recall=replicates.recall,
            alone=replicates.alone,
            limited=replicates.limited,
            of_class=replicates.of_class,
        )
        return replicates


def _fill(function: str, arguments: Any, values: Mapping[str, int | NDArray[Any]]) -> Any:
    """A structure with some fields filled in; whoever calls keeps the arrays.

    Raises: DataError for an array of another type, or in several pieces.
    """
    arrays = arguments.arrays
    for name, value in values.items():
        if isinstance(value, int):
            setattr(arguments, name, value)
            continue
        dtypes = arrays[name]
        if not value.flags.c_contiguous or value.dtype not in dtypes:
            raise _kernel_error(function, f"{name} is {value.dtype}, or not in one piece")
        setattr(arguments, name, address(value))
        setattr(arguments, f"{name}_count", value.nbytes if dtypes is _FLOATS else value.size)
    return arguments


def _kernel_error(function: str, case: str) -> DataError:
    return DataError(
        f"The evaluation kernel was called to {function.replace('_', ' ')}.",
        f"Its arguments do not belong together: {case[:200]}.",
        "Leave the arrays of ground truth and detections as they are while they are measured.",
    )


def _of_detections(flat: FlatDetections) -> dict[str, int | NDArray[Any]]:
    """The arguments of a match that describe the detections."""
    return {
        "starts": flat.starts,
        "detections": flat.boxes,
        "scores": flat.scores,
        "labels": flat.labels,
        "narrow": _narrow(flat.boxes),
        "corners": int(flat.box_format == "xyxy"),
        "narrow_scores": _narrow(flat.scores),
    }


def _narrow(values: NDArray[Any]) -> int:
    return int(values.dtype == np.float32)
