"""Two models on the same images: is the difference real?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from zoo.errors import DataError
from zoo.evaluate.arguments import check_resampling
from zoo.evaluate.intervals import Difference, difference
from zoo.evaluate.predictions.provenance import settings_of
from zoo.evaluate.report import Report


@dataclass(frozen=True)
class Comparison:
    """Every headline number of two reports, paired image by image.

    doubts: what could explain a difference, as sentences: what nobody knows of the two, and the
        notes of both reports.
    """

    differences: dict[str, Difference]
    doubts: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Difference:
        """The difference in one number. Raises: DataError for one that is not defined in both
        reports."""
        if name not in self.differences:
            names = ", ".join(self.differences)
            raise DataError(
                f"No difference in '{name}'.",
                f"There are those in {names or 'nothing'}.",
                "Ask for one of them.",
            )
        return self.differences[name]


def compare(a: Report, b: Report, *, level: float = 0.95) -> Comparison:
    """b against a. Both were resampled with the same draws, so that the difference is taken within
    each replicate.

    The p-value is the share of replicates whose difference lies as far from their mean as the
    measured one from 0 (Efron & Tibshirani 1993, chapter 16). It is for one comparison; whoever
    makes many corrects for that. The interval is the same test
    turned round: it holds 0 exactly where the p-value is above 1 - level.
    Raises: DataError where the two were not measured alike, are not reports, or one contradicts
        itself; UsageError for a level that can't be.
    """
    check_resampling(0, 0, level)
    _check_reports(a=a, b=b)
    for field, ours, theirs in _alike(a, b):
        if ours != theirs:
            raise DataError(
                _failure(a, b),
                f"Their {field} differ: {_apart(ours, theirs)}.",
                "Measure both on the same data, with the same protocol, settings, policy, seed "
                "and number of resamplings.",
            )
    bare = [name for name, report in (("A", a), ("B", b)) if report.resamplings is None]
    if a.resamplings is None or b.resamplings is None:
        raise DataError(
            _failure(a, b),
            f"{' and '.join(bare)} {'holds' if len(bare) == 1 else 'hold'} no resamplings.",
            "Measure again with resamples=1000, the default: zoo evaluate without --resamples.",
        )
    differences = {}
    for name in a.numbers:
        ours, theirs = a.numbers[name], b.numbers[name]
        if ours is None or theirs is None or name not in a.resamplings.numbers:
            continue
        gap = difference((ours, _values(a, name)), (theirs, _values(b, name)), level=level)
        if gap is not None:
            differences[name] = gap
    return Comparison(differences, tuple(_doubts(a, b)))


def _check_reports(**reports: object) -> None:
    # deferred: only comparing needs it
    from zoo.evaluate.diagnostics.consistency import contradictions

    for name, report in reports.items():
        if not isinstance(report, Report):
            raise DataError(
                "Two reports can't be compared.",
                f"There is {_short(repr(report))} of type {type(report).__name__} where a "
                f"zoo.evaluate.Report belongs.",
                "Read one with zoo.evaluate.Report.read(PATH), or make one with "
                "zoo.evaluate(MODEL, data=DATA).",
            )
        if faults := contradictions(report):
            raise DataError(
                f"Report {name.upper()} ({_model(report)}) can't be compared.",
                f"It contradicts itself in '{faults[0].at}': {faults[0].case}",
                "Take the report as zoo evaluate writes it.",
            )


def _failure(a: Report, b: Report) -> str:
    return f"Report A ({_model(a)}) can't be compared with report B ({_model(b)})."


def _model(report: Report) -> str:
    return (
        f"{(report.provenance or {}).get('model', 'a model')} on "
        f"{PurePath(report.measured.data).name}"
    )


def _doubts(a: Report, b: Report) -> Iterator[str]:
    """A foreign results list does not say how it was made, and what looks wrong in either may be
    all there is to it."""
    unknown = [name for name, report in (("A", a), ("B", b)) if _protocol(report) is None]
    if unknown:
        whose = (
            f"The protocol of {unknown[0]} is"
            if len(unknown) == 1
            else "The protocols of A and B are"
        )
        yield (
            f"{whose} not known: another score floor, NMS or limit of boxes may explain a part of "
            f"the difference."
        )
    for name, report in (("A", a), ("B", b)):
        yield from (f"{name}: {note}" for note in report.measured.notes)


def _alike(a: Report, b: Report) -> list[tuple[str, Any, Any]]:
    drawn = [report.resamplings for report in (a, b)]
    return [
        ("data sets", *_data_sets(a, b)),
        ("images", a.measured.image_ids_sha256, b.measured.image_ids_sha256),
        ("settings", a.settings, b.settings),
        ("policies", a.policy, b.policy),
        *[
            ("protocols", first, second)
            for first, second in [(_protocol(a), _protocol(b))]
            if first is not None and second is not None
        ],
        *[("seeds", first.seed, second.seed) for first, second in [drawn] if first and second],
        *[
            ("numbers of resamplings", _count(first.numbers), _count(second.numbers))
            for first, second in [drawn]
            if first and second
        ],
    ]


def _data_sets(a: Report, b: Report) -> tuple[str, str]:
    """The hashes of both, with their names where they differ: `coco_val2017 (sha256 3f2a…)`."""
    ours, theirs = a.measured, b.measured
    if ours.sha256 == theirs.sha256:
        return ours.sha256, theirs.sha256
    first, second = (f"{data.data} (sha256 {data.sha256[:12]}…)" for data in (ours, theirs))
    return first, second


def _protocol(report: Report) -> dict[str, object] | None:
    return settings_of(report.provenance or {})


def _count(numbers: dict[str, tuple[float | None, ...]]) -> int:
    return len(next(iter(numbers.values()), ()))


def _values(report: Report, name: str) -> list[float]:
    assert report.resamplings is not None
    return [float("nan") if value is None else value for value in report.resamplings.numbers[name]]


def _apart(ours: object, theirs: object) -> str:
    """In what two differ: of two mappings only that."""
    if not (isinstance(ours, dict) and isinstance(theirs, dict)):
        return f"{_short(ours)} and {_short(theirs)}"
    pairs = {
        name: (ours.get(name, "not said"), theirs.get(name, "not said"))
        for name in {**ours, **theirs}
    }
    return ", ".join(
        f"{name} {first} and {second}" for name, (first, second) in pairs.items() if first != second
    )


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 160 else text[:159] + "…"
