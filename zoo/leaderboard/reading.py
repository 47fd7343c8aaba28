"""Files that others wrote, as structs: what is wrong in one is named by file, line and field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from zoo import words
from zoo.errors import CardError, DataError
from zoo.evaluate import Report
from zoo.evaluate.report import FORMAT, Analyses
from zoo.registry.document import Sheet, Step, parse, read, spell
from zoo.registry.schema import convert

T = TypeVar("T")
GUIDE = "docs/leaderboard.md"


def read_struct(path: Path, kind: type[T], *, what: str) -> T:
    """The content of a file as a `kind`: YAML in the registry's safe subset, or JSON where it is named so.

    what: what to call it in an error. Raises: DataError.
    """
    try:
        raw = read(path)
        if path.suffix == ".json":
            return convert(Sheet(path, guide=GUIDE), _json(raw), kind)
        return convert(Sheet(path, raw, guide=GUIDE), parse(raw, path).data, kind)
    except CardError as why:
        raise DataError(f"The {what} '{path}' was read.", why.case, why.fix) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as why:
        raise wrong(path, f"It is not JSON: {why}.", "Write it with Entry.write.", what=what) from None


def wrong(path: Path, case: str, fix: str, *, what: str = "entry") -> DataError:
    """The error for a file that was read."""
    return DataError(f"The {what} '{path}' was read.", case, fix)


def _json(raw: bytes) -> Any:
    content = msgspec.json.decode(raw)
    if not isinstance(content, dict):
        raise msgspec.DecodeError(f"it holds {words.kind(content)} where an object belongs")
    return content


def check_numbers(path: Path, report: Report) -> None:
    """Refuses another format, numbers outside of 0 to 1 and replicates of unequal counts. Raises: DataError naming the field."""
    if report.format != FORMAT:
        raise wrong(path, f"Field 'report.format' is {report.format}, not {FORMAT}.", "Measure it again with this version.")
    for steps, value in shares(report):
        if value is not None and not 0 <= value <= 1:
            case = f"Field 'report.{spell(steps)}' is {value:g}, and a share lies between 0 and 1."
            raise wrong(path, case, "Write shares, as in 0.258; claims alone are in percent.")
    if report.resamplings is None:
        return
    counts = {name: len(values) for name, values in report.resamplings.numbers.items()}
    if len(set(counts.values())) > 1:
        shown = ", ".join(f"{name} {count}" for name, count in counts.items())
        case = f"Field 'report.resamplings.numbers' holds unequal counts of replicates: {shown}."
        raise wrong(path, case, "Measure it again with zoo evaluate.")


def shares(report: Report) -> Iterator[tuple[tuple[Step, ...], float | None]]:
    """Every number of a report that is a share, and the steps to it."""
    yield from _each(("numbers",), report.numbers)
    for name, values in report.curves.items():
        yield from ((("curves", name, place), value) for place, value in enumerate(values))
    for name, one in report.per_class.items():
        yield from _each(("per_class", name), {key: getattr(one, key) for key in ("ap", "ap50", "ap75", "recall")})
        yield from ((("per_class", name, "precision", place), value) for place, value in enumerate(one.precision or ()))
        yield from _of(("per_class", name, "operating"), one.operating, "f1", "precision", "recall")
        yield from _of(("per_class", name, "lrp"), one.lrp, "error", "location", "false", "missed")
    if report.analyses:
        yield from _of_analyses(report.analyses)
    if report.resamplings:
        for name, drawn in report.resamplings.numbers.items():
            yield from ((("resamplings", "numbers", name, place), value) for place, value in enumerate(drawn))


def _of_analyses(found: Analyses) -> Iterator[tuple[tuple[Step, ...], float | None]]:
    yield ("analyses", "lrp"), found.lrp
    yield from _of(("analyses", "operating"), found.operating, "f1", "precision", "recall")
    yield from _of(("analyses", "mistakes"), found.mistakes, "false_positives", "false_negatives")
    for kind, one in found.mistakes.kinds.items():
        yield ("analyses", "mistakes", "kinds", kind, "cost"), one.cost
    yield from _of(("analyses", "calibration"), found.calibration, "d_ece", "la_ece")
    for place, part in enumerate(found.calibration.bins if found.calibration else ()):
        yield from _of(("analyses", "calibration", "bins", place), part, "score", "precision")


def _of(at: tuple[Step, ...], thing: object | None, *fields: str) -> Iterator[tuple[tuple[Step, ...], float | None]]:
    if thing is not None:
        yield from _each(at, {name: getattr(thing, name) for name in fields})


def _each(at: tuple[Step, ...], values: Mapping[str, float | None]) -> Iterator[tuple[tuple[Step, ...], float | None]]:
    yield from (((*at, name), value) for name, value in values.items())
