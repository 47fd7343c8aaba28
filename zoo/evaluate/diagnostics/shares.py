"""Which numbers of a report are shares, between 0 and 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from zoo.evaluate.report import Analyses, Report
from zoo.registry.yaml_document import Step


def shares(report: Report) -> Iterator[tuple[tuple[Step, ...], float | None]]:
    """Every number of a report that is a share, and the steps to it."""
    yield from _each(("numbers",), report.numbers)
    for name, values in report.curves.items():
        yield from ((("curves", name, place), value) for place, value in enumerate(values))
    for name, row in report.per_class.items():
        yield from _each(
            ("per_class", name),
            {key: getattr(row, key) for key in ("ap", "ap50", "ap75", "recall")},
        )
        yield from (
            (("per_class", name, "precision", place), value)
            for place, value in enumerate(row.precision or ())
        )
        yield from _of(("per_class", name, "operating"), row.operating, "f1", "precision", "recall")
        yield from _of(("per_class", name, "lrp"), row.lrp, "error", "location", "false", "missed")
    if report.analyses:
        yield from _of_analyses(report.analyses)
    if report.resamplings:
        for name, drawn in report.resamplings.numbers.items():
            yield from (
                (("resamplings", "numbers", name, place), value)
                for place, value in enumerate(drawn)
            )


def _of_analyses(analyses: Analyses) -> Iterator[tuple[tuple[Step, ...], float | None]]:
    yield ("analyses", "lrp"), analyses.lrp
    yield from _of(("analyses", "operating"), analyses.operating, "f1", "precision", "recall")
    yield from _of(
        ("analyses", "mistakes"), analyses.mistakes, "false_positives", "false_negatives"
    )
    for kind, mistake in analyses.mistakes.kinds.items():
        yield ("analyses", "mistakes", "kinds", kind, "cost"), mistake.cost
    yield from _of(("analyses", "calibration"), analyses.calibration, "d_ece", "la_ece")
    for place, part in enumerate(analyses.calibration.bins if analyses.calibration else ()):
        yield from _of(("analyses", "calibration", "bins", place), part, "score", "precision")


def _of(
    at: tuple[Step, ...], thing: object | None, *fields: str
) -> Iterator[tuple[tuple[Step, ...], float | None]]:
    if thing is not None:
        yield from _each(at, {name: getattr(thing, name) for name in fields})


def _each(
    at: tuple[Step, ...], values: Mapping[str, float | None]
) -> Iterator[tuple[tuple[Step, ...], float | None]]:
    yield from (((*at, name), value) for name, value in values.items())
