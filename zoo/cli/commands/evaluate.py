"""`zoo evaluate`: the numbers of models, or of what they saw before, on a data set, with confidence
intervals.

With `--json OUT`, the report (see `zoo.evaluate.Report`): `-` is standard output, where several are
a line each; a name that ends in `.json` is a file for one report; any other is a folder with a file
a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.cli import gallery, output
from zoo.cli.evaluate_options import (
    SEEN,
    Data,
    Fresh,
    Labels,
    ProtocolName,
    To,
    Turn,
    each,
    protocol_of,
)
from zoo.cli.format import format_percent, table
from zoo.cli.options import BatchSize, Device, Engine, Weights, batch_size_of, labels_of, weights_of
from zoo.errors import DataError, UsageError
from zoo.extras import optional
from zoo.text import listed, pluralize

if TYPE_CHECKING:
    from zoo.evaluate import Report

NUMBERS = ("AP50", "AP75", "APs", "APm", "APl", "AR100")
HEADER = ("model", "AP", "interval", *NUMBERS)
NAMED = 10  # classes of a note
MOST = 1_000_000  # replicates; each keeps a number for every measure
CLASSES = ("class", "boxes", "AP", "interval", "AP50", "best score", "precision", "recall")


Models = Annotated[
    list[str],
    typer.Argument(
        metavar="MODEL|FILE",
        help="A name, predictions (.parquet) or COCO results (.json, .jsonl, .json.gz).",
    ),
]
Thresholds = Annotated[
    ProtocolName | None,
    typer.Option(
        metavar="uniform|native",
        help="uniform, the default: the same for every model; native: the family's own.",
    ),
]
Resamples = Annotated[
    int,
    typer.Option(
        metavar="COUNT", min=0, max=MOST, help="For the intervals; 0 for none, which is faster."
    ),
]
ReportOut = Annotated[str | None, typer.Option("--json", metavar="OUT", help="Write the report.")]
Plots = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Draw curves, classes, mistakes and more.")
]
Font = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Of names in plots; else one that has their letters."),
]


def evaluate(  # noqa: PLR0913 - one parameter an option
    models: Models,
    data: Data,
    protocol: Thresholds = None,
    to: To = None,
    weights: Weights = None,
    labels: Labels = None,
    device: Device = None,
    engine: Engine = None,
    batch_size: BatchSize = None,
    exif: Turn = None,
    fresh: Fresh = False,
    resamples: Resamples = 1000,
    seed: Annotated[int, typer.Option(metavar="NUMBER", min=0, help="Seed of the resamples.")] = 0,
    classes: Annotated[bool, typer.Option("--classes", help="A line for each class too.")] = False,
    json_to: ReportOut = None,
    plots: Plots = None,
    font: Font = None,
    report: gallery.To = None,
    report_images: gallery.Count = None,
) -> None:
    """Measure models on a data set: COCO's numbers, in percent, with 95 % confidence intervals.

    Models are run first, unless their predictions are kept; files hold detections of an earlier
    run, under a protocol of its own, and options of a run are for the models only. One model's
    error does not stop the others: the exit code is 1 then, or that of the errors if all failed in
    the same way.
    """
    from zoo.data import read  # deferred: they import numpy, which help does not need
    from zoo.evaluate.evaluate import evaluate as measure

    given: dict[str, object] = {"protocol": protocol, "weights": weights, "labels": labels}
    given |= {"device": device, "engine": engine, "batch-size": batch_size, "to": to, "exif": exif}
    given |= {"fresh": fresh or None}
    _refuse_idle(models, given)
    _check_outputs(models, json_to, plots, font)
    most = gallery.checked(report, report_images, models=models)
    dataset = read(data)
    take = partial(measure, data=dataset, resamples=resamples, seed=seed)
    page = partial(gallery.measured_with_page, dataset=dataset, most=most)
    done, code = each(models, partial(_measured, take, page, report, _running(given)))
    reports = _by_name(done)
    if json_to != "-" and reports:
        output.lines(_page(reports, classes=classes))
    if json_to:
        _write(reports, json_to)
    if plots:
        _draw(reports, plots, font)
    raise typer.Exit(code)


def _measured(
    take: Callable[..., Report],
    page: Callable[..., Report],
    to: Path | None,
    running: Mapping[str, object],
    model: str,
) -> Report:
    """The report of a model, or of what was seen before; with `to`, its page is written there."""
    options = None if _is_file(model) else running
    if to is None:
        return take(model, **(options or {}))
    return page(model, take, to=to, running=options)


def _running(given: Mapping[str, object]) -> dict[str, object]:
    """The options of a run as `zoo.evaluate` takes them, without those that were not given."""
    options: dict[str, Any] = {
        name.replace("-", "_"): value for name, value in given.items() if value is not None
    }
    if (
        protocol := protocol_of(options.pop("protocol", None), options.pop("exif", None))
    ) is not None:
        options["protocol"] = protocol
    if isinstance(weights := options.get("weights"), str):
        options["weights"] = weights_of(weights)
    if isinstance(labels := options.get("labels"), str):
        options["labels"] = labels_of(labels)
    if isinstance(batch_size := options.get("batch_size"), str):
        options["batch_size"] = batch_size_of(batch_size)
    return options


def _check_outputs(
    models: Sequence[str], json_to: str | None, plots: Path | None, font: Path | None
) -> None:
    if font and not plots:
        raise UsageError(
            "--font was given.", "It is for --plots, which was not.", "Add --plots FOLDER"
        )
    if json_to and json_to.endswith(".json") and len(set(models)) > 1:
        case = f"There are {len(set(models))} reports, and that is one file."
        raise UsageError(
            f"--json '{json_to:.80}' was given.", case, "Name a folder, or - for a line each."
        )
    if json_to and json_to.endswith(".json"):
        _check_replaceable(Path(json_to))
    elif json_to and json_to != "-" and Path(json_to).is_file():
        raise UsageError(
            f"--json '{json_to}' was given.", "That is a file.", "Name a folder, or a .json."
        )
    if plots:
        optional("matplotlib", wanted_for="Plots", extra="plots")  # now, and not after the work
    if font:
        from zoo.fonts import letters_of  # deferred: it imports Pillow

        letters_of(12, font)
    if plots and plots.exists() and not plots.is_dir():
        raise UsageError(
            f"--plots '{plots}' was given.", "That is a file.", "Name a folder: --plots plots"
        )


def _check_replaceable(path: Path) -> Report | None:
    """The report that is there. Raises: UsageError for a file that is none: what was measured, or
    something else of value."""
    from zoo.evaluate import Report

    if not path.exists():
        return None
    try:
        return Report.read(path)
    except DataError:
        asked, case = (
            f"A report can't be written to '{path}'.",
            "That file exists and is not a report: it would be lost.",
        )
        raise UsageError(asked, case, "Name another file or folder.") from None


def _by_name(done: Mapping[str, Report]) -> dict[str, Report]:
    """Reports by what they are called, which is one name each."""
    from zoo.evaluate.naming import (
        told_apart,
    )  # deferred: its package imports numpy, which help does not need

    names = told_apart(
        {model: _called(model, report.provenance or {}) for model, report in done.items()}
    )
    return {names[model]: report for model, report in done.items()}


def _called(typed: str, facts: Mapping[str, str]) -> str:
    """The model, with a word on weights that were never trained."""
    return facts.get("model", typed) + (
        " (random weights)" if facts.get("weights_source") == "random" else ""
    )


def _is_file(model: str) -> bool:
    """Whether it is the name of what was seen before."""
    return model.endswith(SEEN)


def _refuse_idle(models: Sequence[str], running: Mapping[str, object]) -> None:
    """Raises: UsageError naming options of a run where nothing is run."""
    options = [f"--{name}" for name, value in running.items() if value is not None]
    if options and all(map(_is_file, models)):
        several = "files that hold" if len(models) > 1 else "a file that holds"
        raise UsageError(
            f"{' '.join(models)} {'were' if len(models) > 1 else 'was'} to be measured with "
            f"{' and '.join(options)}.",
            f"There is only {several} what was seen before: no model is run, and "
            f"{' and '.join(options)} would decide nothing.",
            f"Leave {'them' if len(options) > 1 else 'it'} out, or name a model.",
        )


def _page(reports: Mapping[str, Report], *, classes: bool) -> Iterator[str]:
    """A table a protocol, because numbers of two are not to be ranked in one; then what the tables
    do not say."""
    for protocol, alike in _by_protocol(reports).items():
        measured = next(iter(alike.values())).measured
        sizes = (
            f"{pluralize(measured.images, 'image')}, {pluralize(measured.boxes, 'box', 'boxes')}"
        )
        yield from (f"{measured.data}: {sizes}. Protocol: {protocol}.", "")
        yield from table(
            HEADER, [_cells(name, report) for name, report in alike.items()], right=HEADER[1:]
        )
        yield ""
        for name, report in alike.items():
            if classes:
                yield from (name, *table(CLASSES, list(_classes(report)), right=CLASSES[1:]), "")
            yield from _notes(name, report)


def _by_protocol(reports: Mapping[str, Report]) -> dict[str, dict[str, Report]]:
    grouped: dict[str, dict[str, Report]] = {}
    for name, report in reports.items():
        facts = report.provenance or {}
        protocol = facts.get("protocol", "unknown, these results do not say")
        settings = facts.get("protocol_settings", "")
        grouped.setdefault(f"custom {settings}" if protocol == "custom" else protocol, {})[name] = (
            report
        )
    return grouped


def _cells(name: str, report: Report) -> tuple[str, ...]:
    return (
        name,
        format_percent(report.ap),
        _interval(report),
        *(format_percent(report[key]) for key in NUMBERS),
    )


def _interval(report: Report) -> str:
    interval = report.interval("AP")
    return f"{format_percent(interval.low)} to {format_percent(interval.high)}" if interval else "–"


def _classes(report: Report) -> Iterator[tuple[str, ...]]:
    """A row a class that has boxes, best first."""
    for name, row in sorted(report.per_class.items(), key=lambda pair: -(pair[1].ap or 0)):
        if row.boxes:
            interval = (
                f"{format_percent(row.interval.low)} to {format_percent(row.interval.high)}"
                if row.interval
                else "–"
            )
            point = row.operating
            best = (
                (
                    f"{point.score:.2f}",
                    format_percent(point.precision),
                    format_percent(point.recall),
                )
                if point
                else ("–", "–", "–")
            )
            yield (
                name,
                str(row.boxes),
                format_percent(row.ap),
                interval,
                format_percent(row.ap50),
                *best,
            )


def _notes(name: str, report: Report) -> Iterator[str]:
    """Facts that are not in the table."""
    measured = report.measured
    with_boxes = [name for name in measured.missing if report.per_class[name].boxes]
    if with_boxes:
        known = (
            f"{len(with_boxes)} of the data set's "
            f"{pluralize(len(report.per_class), 'class', 'classes')}"
        )
        yield f"{name} does not know {known}, and scores 0 there: {listed(with_boxes, NAMED)}."
    if empty := [name for name in measured.missing if name not in with_boxes]:
        classes = pluralize(len(empty), "class", "classes")
        yield (
            f"{name} does not know {classes} without boxes, which costs nothing: "
            f"{listed(empty, NAMED)}."
        )
    if measured.unmet:
        left = sum(measured.unmet.values())
        of = (
            f"{pluralize(left, 'detection')} of "
            f"{pluralize(len(measured.unmet), 'class', 'classes')}"
        )
        yield (
            f"{name}: {of} that the data set does not have {'was' if left == 1 else 'were'} left "
            f"out."
        )
    for note in measured.notes:
        yield f"{name}: {note}"


def _write(reports: Mapping[str, Report], to: str) -> None:
    if to == "-":
        for report in reports.values():
            output.document(report.to_json())
        return
    from zoo.evaluate.naming import (
        file_names,
    )  # deferred: its package imports numpy, which help does not need

    path = Path(to)
    single = path.suffix == ".json"
    places = {
        name: path if single else _place(path, file, reports[name])
        for name, file in file_names(reports).items()
    }
    for name, place in places.items():
        reports[name].write(place)
        output.line(f"Report: {place}", err=True)


def _place(folder: Path, file: str, report: Report) -> Path:
    """Where a report goes: over an older one of the same weights, data and protocol, and next to
    any other of that name."""
    for number in count(1):
        place = folder / (f"{file}.json" if number == 1 else f"{file}-{number}.json")
        existing = _check_replaceable(place)
        if existing is None or _subject(existing) == _subject(report):
            return place
    raise AssertionError("unreachable")


def _subject(report: Report) -> list[str | None]:
    facts = report.provenance or {}
    return [
        facts.get(key)
        for key in ("model", "weights_sha256", "state_sha256", "data_sha256", "protocol_settings")
    ]


def _draw(reports: Mapping[str, Report], folder: Path, font: Path | None) -> None:
    from zoo.evaluate.naming import file_names
    from zoo.evaluate.plots import save  # deferred: it imports matplotlib

    for name, file in file_names(reports).items():
        save(reports[name], folder / file, font=font)
    output.line(f"Plots: {folder}", err=True)
