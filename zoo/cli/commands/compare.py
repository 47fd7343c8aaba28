"""`zoo compare`: compares two models on the same images, and tests whether they differ.

With `--json`, one object: a, b (their names), doubts, and differences, by metric: a, b, difference,
interval {low, high, level}, p_value.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from zoo.cli import output
from zoo.cli.evaluate_options import Fresh, Turn, is_stored, protocol_of
from zoo.cli.format import format_percent, table
from zoo.errors import DataError, NameAmbiguous, NameNotFound, UsageError

if TYPE_CHECKING:
    from zoo.cli.options import Exif
    from zoo.evaluate import Comparison, Report
    from zoo.evaluate.intervals import Difference

HEADER = ("", "A", "B", "B - A", "interval", "p")
COCO_ORDER = (
    "AP", "AP50", "AP75", "APs", "APm", "APl",
    "AR1", "AR10", "AR100", "ARs", "ARm", "ARl",
)  # fmt: skip
MAX_P_VALUE = 0.05  # of a difference that is more than chance
SHOWN_STEP = 0.1  # points; the precision of the numbers printed


def compare(
    a: Annotated[
        str,
        typer.Argument(
            help=(
                "A report (.json of zoo evaluate); with --data also predictions, results or a "
                "model."
            )
        ),
    ],
    b: Annotated[str, typer.Argument(help="The one it is compared with.")],
    data: Annotated[
        str | None, typer.Option(metavar="coco:FILE", help="If the two are not reports yet.")
    ] = None,
    exif: Turn = None,
    fresh: Fresh = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Compare two models on the same images: every number's difference with its 95 % interval,
    and a p-value.

    Both have to be measured on the same data, under the same protocol; else the difference would
    mean nothing, and is refused.
    """
    # deferred: it imports numpy, which help does not need
    from zoo.evaluate.compare import compare as compare_reports

    if (exif or fresh) and is_stored(a) and is_stored(b):
        case = "Both are files of detections: no model is run, so it has no effect."
        raise UsageError("--exif or --fresh was given.", case, "Leave it out, or name a model.")
    if data is not None and _is_report(a) and _is_report(b):
        case = "Both are reports, which were measured before: it has no effect."
        raise UsageError("--data was given.", case, "Leave it out, or name a model.")
    left, right = (_report(name, data, exif, fresh=fresh) for name in (a, b))
    comparison = compare_reports(left, right)
    first, second = _names((left, a), (right, b))
    if as_json:
        facts = {
            "a": first,
            "b": second,
            "doubts": comparison.doubts,
            "differences": comparison.differences,
        }
        output.document(msgspec.json.format(msgspec.json.encode(facts)).decode())
    else:
        output.lines(_page(comparison, first, second))


def _report(name: str, data: str | None, exif: Exif | None, *, fresh: bool) -> Report:
    """The report in that file, or a new one on the model or detections of that name."""
    from zoo.evaluate import Report
    from zoo.evaluate.evaluate import evaluate

    if _is_report(name):
        return Report.read(name)
    if is_stored(name) and not Path(name).exists():
        raise DataError(f"'{name}' can't be compared.", "There is no such file.", "Check the path.")
    if Path(name).is_dir() and not _is_model(name):
        raise UsageError(
            f"'{name}' can't be compared.",
            "It is a folder.",
            "Name a report in it: the .json of zoo evaluate --json.",
        )
    if data is None:
        case = "It is not a report, and the data set to measure it on is missing."
        raise UsageError(
            f"'{name}' can't be compared.",
            case,
            "Add --data coco:FILE, or name the .json of zoo evaluate --json.",
        )
    if is_stored(name):
        return evaluate(name, data=data)
    return evaluate(name, data=data, protocol=protocol_of(None, exif), fresh=fresh)


def _is_model(name: str) -> bool:
    from zoo.registry import catalogue

    try:
        catalogue().resolve(name)
    except (NameNotFound, NameAmbiguous):
        return False
    return True


def _is_report(name: str) -> bool:
    """Whether the file has a JSON object, as reports do; COCO results are a list. An empty file
    counts as a report, as reading it then says that it is empty."""
    path = Path(name)
    if path.suffix != ".json" or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(64).lstrip()[:1] in (b"{", b"")


def _names(*both: tuple[Report, str]) -> list[str]:
    """The model of each report, followed by what the user typed if both are of one model."""
    models = [(report.provenance or {}).get("model", typed) for report, typed in both]
    if len(set(models)) == len(models):
        return models
    return [
        model if model == typed else f"{model} ({typed})"
        for model, (_, typed) in zip(models, both, strict=True)
    ]


def _sort_key(pair: tuple[str, object]) -> tuple[bool, int, str]:
    """A key that sorts COCO's metrics first, in COCO's order."""
    name, _ = pair
    return name not in COCO_ORDER, COCO_ORDER.index(name) if name in COCO_ORDER else 0, name


def _page(comparison: Comparison, a: str, b: str) -> Iterator[str]:
    rows = [
        (
            name,
            format_percent(difference.a),
            format_percent(difference.b),
            _points(difference.difference),
            f"{_points(difference.interval.low)} to {_points(difference.interval.high)}",
            f"{difference.p_value:.3f}",
        )
        for name, difference in sorted(comparison.differences.items(), key=_sort_key)
    ]
    yield from (f"A: {a}", f"B: {b}", "")
    yield from table(HEADER, rows, right=HEADER[1:])
    for doubt in comparison.doubts:
        yield from ("", doubt)
    if "AP" in comparison.differences:
        yield from ("", _verdict(comparison["AP"]))


def _points(share: float) -> str:
    """A signed difference in points; 0.0 has no sign."""
    text = f"{100 * share:+.1f}"
    return text if float(text) else text[1:]


def _verdict(difference: Difference) -> str:
    """A sentence on which model is ahead in AP, and whether that may be chance."""
    if not difference.difference:
        return "A and B have the same AP."
    better, by = (
        ("B", difference.difference) if difference.difference > 0 else ("A", -difference.difference)
    )
    lead = f"{100 * by:.1f}" if 100 * by >= SHOWN_STEP / 2 else f"less than {SHOWN_STEP}"
    by_chance = difference.p_value > MAX_P_VALUE
    verdict = "not told apart from chance" if by_chance else "more than chance"
    return (
        f"{better} is ahead by {lead} AP. The difference is {verdict} "
        f"(p = {difference.p_value:.3f})."
    )
