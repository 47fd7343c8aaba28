"""Consistency rules of a report's analyses: operating points, mistakes, calibration, confusion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from zoo.evaluate.analyses.calibration import BINS
from zoo.evaluate.analyses.lrp import LRP
from zoo.evaluate.analyses.operating_point import OperatingPoint
from zoo.evaluate.analyses.tide import KINDS
from zoo.evaluate.coco.problem import ANALYSED_IOU
from zoo.evaluate.diagnostics.contradiction import (
    CLOSE,
    Contradiction,
    four_decimals,
    is_whole,
    same,
)
from zoo.evaluate.report import Report


def operating_points(report: Report) -> Iterator[Contradiction]:
    """F1 follows from precision and recall, LRP from its parts."""
    overall = report.analyses.operating if report.analyses else None
    boxes = sum(row.boxes for row in report.per_class.values())
    points = [("analyses.operating", overall, boxes)]
    points += [
        (f"per_class[{name!r:.40}].operating", row.operating, row.boxes)
        for name, row in report.per_class.items()
    ]
    for at, point, count in points:
        if point is not None and not _follows(point, count):
            yield Contradiction(
                at, "F1, precision, recall and the number of boxes do not fit each other."
            )
    for name, row in report.per_class.items():
        if row.lrp is not None and not _sums(row.lrp, row.boxes):
            yield Contradiction(
                f"per_class[{name!r:.40}].lrp", "The error does not follow from its parts."
            )
    errors = [row.lrp.error for row in report.per_class.values() if row.lrp is not None]
    if report.analyses and errors and not same(report.analyses.lrp, fmean(errors)):
        stated = four_decimals(report.analyses.lrp)
        yield Contradiction(
            "analyses.lrp", f"It is {stated}, and the mean of its classes {fmean(errors):.4f}."
        )


def mistakes(report: Report) -> Iterator[Contradiction]:
    """There are as many mistakes as false detections, and no more boxes missed than there are."""
    if report.analyses is None:
        return
    kinds, calibration = report.analyses.mistakes.kinds, report.analyses.calibration
    if kinds.keys() != KINDS.keys() or min(mistake.count for mistake in kinds.values()) < 0:
        yield Contradiction(
            "analyses.mistakes.kinds", "They are not those that an evaluator counts."
        )
        return
    boxes = sum(row.boxes for row in report.per_class.values())
    false = sum(mistake.count for kind, mistake in kinds.items() if kind != "missed")
    true = (
        sum(bucket.count * (bucket.precision or 0) for bucket in calibration.bins)
        if calibration
        else 0.0
    )
    counted = (
        sum(bucket.count for bucket in calibration.bins)
        if calibration
        else report.measured.detections
    )
    if (calibration and (not is_whole(true) or false != round(counted - true))) or false > counted:
        yield Contradiction(
            "analyses.mistakes.kinds", "They are not as many as the false detections."
        )
    if kinds["missed"].count + round(true) > boxes:
        yield Contradiction("analyses.mistakes.kinds", "More boxes were missed than there are.")


def calibration(report: Report) -> Iterator[Contradiction]:
    """Bins are even parts of 0 to 1, and D-ECE is read off them."""
    measured = report.analyses.calibration if report.analyses else None
    if measured is None:
        return
    total = sum(bucket.count for bucket in measured.bins)
    parts = [
        same(bucket.low, at / BINS) and same(bucket.high, (at + 1) / BINS)
        for at, bucket in enumerate(measured.bins)
    ]
    inside = all(
        bucket.score is None or bucket.low - CLOSE <= bucket.score <= bucket.high + CLOSE
        for bucket in measured.bins
    )
    if (
        not 0 < total <= report.measured.detections
        or len(parts) != BINS
        or not all(parts)
        or not inside
    ):
        yield Contradiction("analyses.calibration.bins", "They are not those of the detections.")
        return
    d_ece = (
        sum(
            bucket.count * abs((bucket.score or 0) - (bucket.precision or 0))
            for bucket in measured.bins
        )
        / total
    )
    if not same(measured.d_ece, d_ece):
        yield Contradiction(
            "analyses.calibration.d_ece",
            f"It is {measured.d_ece:.4f}, and its bins say {d_ece:.4f}.",
        )


def confusion_rules(report: Report) -> Iterator[Contradiction]:
    """The confusion is that of the operating point."""
    matrix = report.analyses.confusion if report.analyses else None
    if matrix is not None:
        yield from _confusion(report, matrix.score, matrix.cells)


def _confusion(
    report: Report, score: float, cells: Sequence[tuple[str | None, str | None, int]]
) -> Iterator[Contradiction]:
    """Each row holds the boxes of its class, and every cell is there once."""
    point = report.analyses.operating if report.analyses else None
    rows: dict[str | None, int] = {}
    for true, _, count in cells:
        rows[true] = rows.get(true, 0) + count
    rows.pop(None, None)
    boxes = {name: row.boxes for name, row in report.per_class.items() if row.boxes}
    named = all(detected is None or detected in report.per_class for _, detected, _ in cells)
    twice = len({pair[:2] for pair in cells}) < len(cells)
    if rows != boxes or not named or twice or any(count < 1 for *_, count in cells):
        yield Contradiction(
            "analyses.confusion.cells", "Its rows do not add up to the boxes of the classes."
        )
    matched = sum(count for _, detected, count in cells if detected is not None)
    if matched > report.measured.detections:
        yield Contradiction(
            "analyses.confusion.cells",
            f"It counts {matched:,} of {report.measured.detections:,} detections.",
        )
    if point is None or not same(point.score, score):
        yield Contradiction(
            "analyses.confusion.score",
            f"It is {score:g}, and the operating point {point and point.score}.",
        )


def _follows(point: OperatingPoint, boxes: int) -> bool:
    """Whether F1 is that of precision and recall, and the boxes found are a whole number."""
    both = point.precision + point.recall
    matched = point.recall * boxes
    return same(point.f1, 2 * point.precision * point.recall / both if both else 0.0) and is_whole(
        matched
    )


def _sums(lrp: LRP, boxes: int) -> bool:
    """Whether the error is that of its parts."""
    if lrp.location is None or lrp.false is None:
        return lrp == LRP(1.0, None, None, 1.0, None)
    matched = (1 - lrp.missed) * boxes
    if not is_whole(matched) or round(matched) < 1 or lrp.false >= 1:
        return False
    false = matched * lrp.false / (1 - lrp.false)
    total = lrp.location * matched / (1 - ANALYSED_IOU) + false + boxes - matched
    return is_whole(false) and same(lrp.error, total / (false + boxes))
