"""Whether a report agrees with itself: what it says twice is computed again and compared, so that a
changed number shows.

AP is the mean of its classes and of its curve, an interval follows from its replicates, F1 from
precision and recall. Numbers that were invented as a whole, replicates and all, agree too: only
measuring again tells those.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import fmean

from zoo.evaluate.diagnostics.analysis_rules import (
    calibration,
    confusion_rules,
    mistakes,
    operating_points,
)
from zoo.evaluate.diagnostics.contradiction import (
    CLOSE,
    Contradiction,
    Rule,
    above,
    four_decimals,
    same,
)
from zoo.evaluate.diagnostics.shares import shares
from zoo.evaluate.intervals import Interval, centred_interval
from zoo.evaluate.report import Report
from zoo.registry.yaml_document import spell


def contradictions(report: Report) -> list[Contradiction]:
    """Everything in which a report disagrees with itself; if a number is not a share, that alone:
    nothing follows from it."""
    return list(_no_shares(report)) or [fault for rule in RULES for fault in rule(report)]


def _no_shares(report: Report) -> Iterator[Contradiction]:
    for steps, value in shares(report):
        if value is not None and not 0 <= value <= 1:
            yield Contradiction(spell(steps), f"It is {value:g}, and a share lies between 0 and 1.")


def _order(report: Report) -> Iterator[Contradiction]:
    """A stricter overlap, or fewer detections, never gives more."""
    numbers, drawn = report.numbers, report.resamplings.numbers if report.resamplings else {}
    limits = [f"AR{limit}" for limit in report.settings.detections]
    pairs = [("AP", "AP50"), ("AP75", "AP50"), *pairwise(limits)]
    for less, more in pairs:
        if above(numbers.get(less), numbers.get(more)):
            yield Contradiction(
                f"numbers.{less}",
                f"{less} {numbers[less]:.4f} is above {more} {numbers[more]:.4f}.",
            )
        crossed = [
            at
            for at, both in enumerate(zip(drawn.get(less, ()), drawn.get(more, ()), strict=False))
            if above(*both)
        ]
        if crossed:
            yield Contradiction(
                f"resamplings.numbers.{less}", f"{less} is above {more} in replicate {crossed[0]}."
            )
    for name, row in report.per_class.items():
        for metric, value in (("ap", row.ap), ("ap75", row.ap75)):
            if above(value, row.ap50):
                yield Contradiction(
                    f"per_class[{name!r:.40}].{metric}",
                    f"{metric} {value:.4f} is above ap50 {row.ap50:.4f}.",
                )


def _means(report: Report) -> Iterator[Contradiction]:
    """A headline number is the mean of its classes, and of its curve."""
    classes = [row for row in report.per_class.values() if row.boxes]
    most = report.settings.detections[-1]
    for name, field in (("AP", "ap"), ("AP50", "ap50"), ("AP75", "ap75"), (f"AR{most}", "recall")):
        number, values = report.numbers.get(name), [getattr(row, field) for row in classes]
        if name == "AP" and report.policy.headline == "hundred" and most != 100:
            continue  # it is read at another limit than the classes
        if number is not None and not classes:
            yield Contradiction(
                f"numbers.{name}", f"{name} is {number:.4f}, and no class has a box."
            )
        elif classes and None not in values and not same(number, fmean(values)):
            yield Contradiction(
                f"numbers.{name}",
                f"{name} is {four_decimals(number)} and the mean of its {len(values)} classes "
                f"{fmean(values):.4f}.",
            )
    for name, curve in report.curves.items():
        if len(curve) != report.settings.recalls:
            yield Contradiction(
                f"curves.{name}",
                f"It has {len(curve)} points, and the settings say {report.settings.recalls}.",
            )
        elif not same(report.numbers.get(name), fmean(curve)):
            yield Contradiction(
                f"curves.{name}",
                f"The area under it is {fmean(curve):.4f}, and {name} "
                f"{four_decimals(report.numbers.get(name))}.",
            )
        yield from _rising(f"curves.{name}", curve)


def _curves(report: Report) -> Iterator[Contradiction]:
    """The curve of each class gives its AP50, and their mean is the curve of all."""
    drawn = {
        name: row.precision for name, row in report.per_class.items() if row.precision is not None
    }
    for name, curve in drawn.items():
        at, ap50 = f"per_class[{name!r:.40}].precision", report.per_class[name].ap50
        if len(curve) != report.settings.recalls:
            yield Contradiction(
                at, f"It has {len(curve)} points, and the settings say {report.settings.recalls}."
            )
        elif not same(ap50, fmean(curve)):
            yield Contradiction(
                at, f"The area under it is {fmean(curve):.4f}, and ap50 {four_decimals(ap50)}."
            )
        yield from _rising(at, curve)
    overall, of_classes = report.curves.get("AP50"), list(drawn.values())
    if (
        overall is not None
        and of_classes
        and {len(curve) for curve in of_classes} == {len(overall)}
    ):
        means = [fmean(values) for values in zip(*of_classes, strict=True)]
        apart = [
            place for place, both in enumerate(zip(overall, means, strict=True)) if not same(*both)
        ]
        if apart:
            yield Contradiction(
                "curves.AP50", f"At point {apart[0]} it is not the mean of the classes' curves."
            )


def _replicates(report: Report) -> Iterator[Contradiction]:
    """An interval follows from its number and its replicates, which lie on both sides of it."""
    drawn = report.resamplings.numbers if report.resamplings else {}
    for name in sorted(report.intervals.keys() - drawn.keys()):
        yield Contradiction(f"intervals.{name}", "There are no replicates that it could be of.")
    for name, values in drawn.items():
        number, interval = report.numbers.get(name), report.intervals.get(name)
        valid = [value for value in values if value is not None]
        if number is None:
            if valid:
                yield Contradiction(
                    f"resamplings.numbers.{name}", f"It has replicates, and {name} is not defined."
                )
            continue
        if valid and not min(valid) - CLOSE <= number <= max(valid) + CLOSE:
            spread = f"{min(valid):.4f} to {max(valid):.4f}"
            yield Contradiction(
                f"numbers.{name}",
                f"{name} is {number:.4f}, and all its replicates lie in {spread}.",
            )
        level = interval.level if interval is not None and 0 < interval.level < 1 else 0.95
        true = centred_interval(
            number, [math.nan if value is None else value for value in values], level=level
        )
        if not _same_interval(interval, true):
            yield Contradiction(
                f"intervals.{name}",
                f"It is {interval or 'missing'}, and its replicates give {true or 'none'}.",
            )


def _intervals(report: Report) -> Iterator[Contradiction]:
    """An interval has two ends and one level, and the number inside; a class's replicates are not
    kept."""
    levels = {interval.level for interval in report.intervals.values()}
    for name, row in report.per_class.items():
        if row.interval is None:
            continue
        at = f"per_class[{name!r:.40}].interval"
        slack = (
            1 - row.interval.level
        ) / 2 + CLOSE  # the mean of replicates may lie so far outside of their percentiles
        if row.ap is None or not row.interval.low - slack <= row.ap <= row.interval.high + slack:
            yield Contradiction(
                at, f"AP is {four_decimals(row.ap)}, and its interval {row.interval}."
            )
        elif row.interval.low > row.interval.high:
            yield Contradiction(at, f"It runs from {row.interval}.")
        elif levels and row.interval.level not in levels:
            yield Contradiction(
                at, f"Its level is {row.interval.level:g}, and that of the others {min(levels):g}."
            )
    if len(levels) > 1:
        yield Contradiction(
            "intervals",
            f"They have several levels: {', '.join(f'{level:g}' for level in sorted(levels))}.",
        )


def _counts(report: Report) -> Iterator[Contradiction]:
    """Boxes and detections of the classes are those of the whole."""
    measured, classes = report.measured, report.per_class.values()
    counts = [measured.boxes, measured.detections, *measured.unmet.values()]
    if min(*counts, *(row.boxes for row in classes), *(row.detections for row in classes)) < 0:
        yield Contradiction("measured", "It holds a negative count.")
    if measured.images < 1:
        yield Contradiction("measured.images", f"Numbers of {measured.images} images.")
    detections, boxes = sum(row.detections for row in classes), sum(row.boxes for row in classes)
    if detections != measured.detections:
        yield Contradiction(
            "measured.detections",
            f"It is {measured.detections:,}, and that of the classes {detections:,}.",
        )
    if boxes > measured.boxes:
        yield Contradiction(
            "measured.boxes", f"It is {measured.boxes:,}, and that of the classes {boxes:,}."
        )


def _classes(report: Report) -> Iterator[Contradiction]:
    """A class has an AP where it has boxes, and one above 0 only where something was detected."""
    for name, row in report.per_class.items():
        if (row.ap is None) != (not row.boxes):
            yield Contradiction(
                f"per_class[{name!r:.40}].ap",
                f"It is {four_decimals(row.ap)}, and the class has {row.boxes} boxes.",
            )
        elif row.ap and not row.detections:
            yield Contradiction(
                f"per_class[{name!r:.40}].ap",
                f"It is {row.ap:.4f}, and nothing was detected as one.",
            )
    for name in report.measured.missing:
        if name not in report.per_class or report.per_class[name].detections:
            yield Contradiction(
                "measured.missing",
                f"The model does not know '{name:.40}', and the classes say otherwise.",
            )


def _of_its_data(report: Report) -> Iterator[Contradiction]:
    """Its provenance is of the annotations that were measured on."""
    stated = (report.provenance or {}).get("data_sha256")
    if stated not in (None, "", "unknown", report.measured.sha256):
        yield Contradiction(
            "provenance.data_sha256",
            f"It is {stated:.12}… and measured.sha256 {report.measured.sha256:.12}….",
        )


RULES: tuple[Rule, ...] = (
    _of_its_data,
    _order,
    _means,
    _curves,
    _replicates,
    _intervals,
    _counts,
    _classes,
    operating_points,
    mistakes,
    calibration,
    confusion_rules,
)


def _rising(at: str, curve: Sequence[float]) -> Iterator[Contradiction]:
    """Interpolated precision never rises with recall."""
    rises = [place for place in range(1, len(curve)) if curve[place] > curve[place - 1] + CLOSE]
    if rises:
        yield Contradiction(
            at, f"Precision rises at point {rises[0]}, which interpolated precision never does."
        )


def _same_interval(stated: Interval | None, true: Interval | None) -> bool:
    if stated is None or true is None:
        return stated is true
    return (
        same(stated.low, true.low)
        and same(stated.high, true.high)
        and same(stated.level, true.level)
    )
