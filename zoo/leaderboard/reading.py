"""Files that others wrote, as structs: what is wrong in one is named by file, line and field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from zoo import text as words
from zoo.errors import CardError, DataError
from zoo.evaluate import Report
from zoo.evaluate.diagnostics.shares import shares
from zoo.evaluate.report import REPORT_FORMAT
from zoo.limits import LimitError, check_json
from zoo.registry.schema import convert
from zoo.registry.yaml_document import Sheet, parse, read, spell

T = TypeVar("T")
_FIELDS = {
    "report": {"numbers", "measured"},
    "leaderboard": {"tables", "findings"},
    "board": {"schema", "title", "data"},
    "entry": {"model", "report", "data"},
}
_FIX = {
    "report": (
        "An entry wraps one: zoo leaderboard build writes it, and zoo.leaderboard.Entry(model=…, "
        "report=…).write(PATH)."
    ),
    "leaderboard": "Its entries are in the folder entries next to it.",
    "board": "Build it: zoo leaderboard build BOARD.yaml",
    "entry": "Name it under `entries` in a board.",
}


def read_struct(path: Path, kind: type[T], *, what: str) -> T:
    """The content of a file as a `kind`: YAML in the registry's safe subset, or JSON where it is
    named so.

    what: what to call it in an error. Raises: DataError.
    """
    try:
        raw = read(path)
        content = _json(raw) if path.suffix == ".json" else parse(raw, path).data
        _check_kind(content, path, what)
        sheet = Sheet(path) if path.suffix == ".json" else Sheet(path, raw)
        return convert(sheet, content, kind)
    except CardError as error:
        raise DataError(f"The {what} '{path}' was read.", error.case, error.fix) from None
    except LimitError as error:
        raise wrong(path, str(error), error.fix, what=what) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise wrong(
            path, f"It is not JSON: {error}.", "Write it with Entry.write.", what=what
        ) from None


def wrong(path: Path, case: str, fix: str, *, what: str = "entry") -> DataError:
    """The error for a file that was read."""
    return DataError(f"The {what} '{path}' was read.", case, fix)


def _check_kind(content: object, path: Path, what: str) -> None:
    """Raises: DataError for a file of another kind, which is told by its fields."""
    for kind, fields in _FIELDS.items():
        if kind != what and isinstance(content, dict) and fields <= content.keys():
            raise wrong(
                path,
                f"It is {'an' if kind == 'entry' else 'a'} {kind}, no {what}.",
                _FIX[kind],
                what=what,
            )


def _json(raw: bytes) -> Any:
    check_json(raw)
    content = msgspec.json.decode(raw)
    if not isinstance(content, dict):
        raise msgspec.DecodeError(f"it holds {words.type_name(content)} where an object belongs")
    return content


def check_numbers(path: Path, report: Report) -> None:
    """Refuses another format, numbers outside of 0 to 1 and replicates of unequal counts. Raises:
    DataError naming the field."""
    if report.format != REPORT_FORMAT:
        raise wrong(
            path,
            f"Field 'report.format' is {report.format}, not {REPORT_FORMAT}.",
            "Measure it again with this version.",
        )
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
