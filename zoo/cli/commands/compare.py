"""`zoo compare`: two models on the same images, and whether their difference is real.

With `--json`, one object: a, b (what they are called), doubts, and differences, by number: a, b,
difference, interval {low, high, level}, p_value.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from zoo.cli import output
from zoo.cli.evaluate_options import SEEN, Fresh, Turn, protocol_of
from zoo.cli.format import format_percent, table
from zoo.errors import DataError, NameAmbiguous, NameNotFound, UsageError

if TYPE_CHECKING:
    from zoo.cli.options import Exif
    from zoo.evaluate import Comparison, Report
    from zoo.evaluate.intervals import Difference

HEADER = ("", "A", "B", "B - A", "interval", "p")
ORDER = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
CHANCE = 0.05
TENTH = 0.1  # of a point: what is shown


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
    from zoo.evaluate.compare import (
        compare as compare_reports,
    )  # deferred: it imports numpy, which help does not need

    if (exif or fresh) and a.endswith(SEEN) and b.endswith(SEEN):
        case = (
            "Both are files of what was seen before: no model is run, and that would decide "
            "nothing."
        )
        raise UsageError("--exif or --fresh was given.", case, "Leave it out, or name a model.")
    if data is not None and _is_report(a) and _is_report(b):
        case = "Both are reports of what was measured before, on the data that they name."
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
    """The report of that name, or the one made for it now."""
    from zoo.evaluate import Report
    from zoo.evaluate.evaluate import evaluate

    if _is_report(name):
        return Report.read(name)
    if name.endswith(SEEN) and not Path(name).exists():
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
    if name.endswith(SEEN):
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
    """A report is a JSON object; COCO results are a list. An empty file is read as a report, which
    says that it is empty."""
    path = Path(name)
    if path.suffix != ".json" or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(64).lstrip()[:1] in (b"{", b"")


def _names(*both: tuple[Report, str]) -> list[str]:
    """The name of each: its model, and if two are of one model, what was typed for it too."""
    models = [(report.provenance or {}).get("model", typed) for report, typed in both]
    if len(set(models)) == len(models):
        return models
    return [
        model if model == typed else f"{model} ({typed})"
        for model, (_, typed) in zip(models, both, strict=True)
    ]


def _place(pair: tuple[str, object]) -> tuple[bool, int, str]:
    """COCO's numbers first, in its order."""
    name, _ = pair
    return name not in ORDER, ORDER.index(name) if name in ORDER else 0, name


def _page(comparison: Comparison, a: str, b: str) -> Iterator[str]:
    rows = [
        (
            name,
            format_percent(difference.a),
            format_percent(difference.b),
            _signed(difference.difference),
            f"{_signed(difference.interval.low)} to {_signed(difference.interval.high)}",
            f"{difference.p_value:.3f}",
        )
        for name, difference in sorted(comparison.differences.items(), key=_place)
    ]
    yield from (f"A: {a}", f"B: {b}", "")
    yield from table(HEADER, rows, right=HEADER[1:])
    for doubt in comparison.doubts:
        yield from ("", doubt)
    if "AP" in comparison.differences:
        yield from ("", _verdict(comparison["AP"]))


def _signed(share: float) -> str:
    """A difference in points; 0.0 has no sign."""
    text = f"{100 * share:+.1f}"
    return text if float(text) else text[1:]


def _verdict(difference: Difference) -> str:
    """Who is ahead in AP, and whether that is chance."""
    if not difference.difference:
        return "A and B have the same AP."
    better, by = (
        ("B", difference.difference) if difference.difference > 0 else ("A", -difference.difference)
    )
    ahead = f"by {100 * by:.1f} AP" if 100 * by >= TENTH / 2 else f"by less than {TENTH} AP"
    real = (
        f"The difference is "
        f"{'not told apart from chance' if difference.p_value > CHANCE else 'more than chance'}"
    )
    return f"{better} is ahead {ahead}. {real} (p = {difference.p_value:.3f})."
