"""`zoo evaluate`: measures models or files of detections on a data set, with confidence intervals.

With `--json OUT`, the report (see `zoo.evaluate.Report`): `-` is standard output, with one line per
report; a name that ends in `.json` is a file for one report; any other is a folder with one file
per model.
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
    Data,
    Fresh,
    Labels,
    ProtocolName,
    To,
    Turn,
    each,
    is_stored,
    protocol_of,
)
from zoo.cli.format import format_percent, table
from zoo.cli.options import BatchSize, Device, Engine, Weights, batch_size_of, labels_of, weights_of
from zoo.cli.outputs import check_font
from zoo.errors import DataError, UsageError
from zoo.extras import optional
from zoo.text import join_first, pluralize

if TYPE_CHECKING:
    from zoo.evaluate import Report

METRICS = ("AP50", "AP75", "APs", "APm", "APl", "AR100")
HEADER = ("model", "AP", "interval", *METRICS)
MAX_CLASSES_NAMED = 10  # in a note
MAX_RESAMPLES = 1_000_000  # each takes memory for a number per metric
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
        metavar="COUNT",
        min=0,
        max=MAX_RESAMPLES,
        help="For the intervals; 0 for none, which is faster.",
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

    run_options: dict[str, object] = {"protocol": protocol, "weights": weights, "labels": labels}
    run_options |= {"device": device, "engine": engine, "batch-size": batch_size, "to": to}
    run_options |= {"exif": exif, "fresh": fresh or None}
    _refuse_run_options(models, run_options)
    _check_outputs(models, json_to, plots, font)
    image_count = gallery.image_count(report, report_images, models=models)
    dataset = read(data)
    measure_one = partial(measure, data=dataset, resamples=resamples, seed=seed)
    page = partial(gallery.measure_with_page, dataset=dataset, most=image_count)
    done, code = each(
        models, partial(_measure, measure_one, page, report, _run_arguments(run_options))
    )
    _print_and_write(_by_name(done), json_to, plots, font, classes=classes)
    raise typer.Exit(code)


def _print_and_write(
    reports: Mapping[str, Report],
    json_to: str | None,
    plots: Path | None,
    font: Path | None,
    *,
    classes: bool,
) -> None:
    if json_to != "-" and reports:
        output.lines(_page(reports, classes=classes))
    if json_to:
        _write(reports, json_to)
    if plots:
        _draw(reports, plots, font)


def _measure(
    measure_one: Callable[..., Report],
    measure_with_page: Callable[..., Report],
    to: Path | None,
    running: Mapping[str, object],
    model: str,
) -> Report:
    """The report on a model or a file of detections; writes its page to `to`, if given."""
    options = None if is_stored(model) else running
    if to is None:
        return measure_one(model, **(options or {}))
    return measure_with_page(model, measure_one, to=to, running=options)


def _run_arguments(run_options: Mapping[str, object]) -> dict[str, object]:
    """The given options of a run, as arguments of `zoo.evaluate`."""
    options: dict[str, Any] = {
        name.replace("-", "_"): value for name, value in run_options.items() if value is not None
    }
    protocol = protocol_of(options.pop("protocol", None), options.pop("exif", None))
    if protocol is not None:
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
    check_font(font, plots, option="--plots", example="FOLDER")
    if json_to and json_to.endswith(".json") and len(set(models)) > 1:
        case = f"There are {len(set(models))} reports, and that is one file."
        raise UsageError(
            f"--json '{json_to:.80}' was given.", case, "Name a folder, or - for a line each."
        )
    if json_to and json_to.endswith(".json"):
        _existing_report(Path(json_to))  # raises if the file is not a report
    elif json_to and json_to != "-" and Path(json_to).is_file():
        raise UsageError(
            f"--json '{json_to}' was given.", "That is a file.", "Name a folder, or a .json."
        )
    if plots:
        optional("matplotlib", wanted_for="Plots", extra="plots")  # now, and not after the work
    if plots and plots.exists() and not plots.is_dir():
        raise UsageError(
            f"--plots '{plots}' was given.", "That is a file.", "Name a folder: --plots plots"
        )


def _existing_report(path: Path) -> Report | None:
    """The report at `path`; None if there is no file. Raises: UsageError if the file is something
    else, which writing a report would destroy."""
    from zoo.evaluate import Report

    if not path.exists():
        return None
    try:
        return Report.read(path)
    except DataError:
        raise UsageError(
            f"A report can't be written to '{path}'.",
            "That file exists and is not a report: it would be lost.",
            "Name another file or folder.",
        ) from None


def _by_name(done: Mapping[str, Report]) -> dict[str, Report]:
    """Reports by unique names."""
    from zoo.evaluate.naming import told_apart  # deferred: its package imports numpy

    names = told_apart(
        {model: _display_name(model, report.provenance or {}) for model, report in done.items()}
    )
    return {names[model]: report for model, report in done.items()}


def _display_name(typed: str, facts: Mapping[str, str]) -> str:
    """The name of the model, with a note if its weights are random."""
    return facts.get("model", typed) + (
        " (random weights)" if facts.get("weights_source") == "random" else ""
    )


def _refuse_run_options(models: Sequence[str], run_options: Mapping[str, object]) -> None:
    """Raises: UsageError naming the options of a run if no model is run."""
    options = [f"--{name}" for name, value in run_options.items() if value is not None]
    if options and all(map(is_stored, models)):
        raise UsageError(
            f"{' '.join(models)} can't be measured with {' and '.join(options)}.",
            f"That {'have' if len(options) > 1 else 'has'} no effect on files of detections: no "
            "model is run.",
            f"Leave {'them' if len(options) > 1 else 'it'} out, or name a model.",
        )


def _page(reports: Mapping[str, Report], *, classes: bool) -> Iterator[str]:
    """A table per protocol, as numbers under two protocols can't be compared; then notes."""
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
        *(format_percent(report[key]) for key in METRICS),
    )


def _interval(report: Report) -> str:
    interval = report.interval("AP")
    return f"{format_percent(interval.low)} to {format_percent(interval.high)}" if interval else "–"


def _classes(report: Report) -> Iterator[tuple[str, ...]]:
    """A row per class with boxes, best first."""
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
    """Sentences on facts that are not in the table."""
    measured = report.measured
    with_boxes = [name for name in measured.missing if report.per_class[name].boxes]
    if with_boxes:
        missing = (
            f"{len(with_boxes)} of the data set's "
            f"{pluralize(len(report.per_class), 'class', 'classes')}"
        )
        names = join_first(with_boxes, MAX_CLASSES_NAMED)
        yield f"{name} does not know {missing}, and scores 0 there: {names}."
    if empty := [name for name in measured.missing if name not in with_boxes]:
        classes = pluralize(len(empty), "class", "classes")
        yield (
            f"{name} does not know {classes} without boxes, which costs nothing: "
            f"{join_first(empty, MAX_CLASSES_NAMED)}."
        )
    if measured.unmet:
        count = sum(measured.unmet.values())
        detections = (
            f"{pluralize(count, 'detection')} of "
            f"{pluralize(len(measured.unmet), 'class', 'classes')}"
        )
        yield (
            f"{name}: {detections} that the data set does not have "
            f"{'was' if count == 1 else 'were'} left out."
        )
    for note in measured.notes:
        yield f"{name}: {note}"


def _write(reports: Mapping[str, Report], to: str) -> None:
    if to == "-":
        for report in reports.values():
            output.document(report.to_json())
        return
    from zoo.evaluate.naming import file_names  # deferred: its package imports numpy

    path = Path(to)
    single = path.suffix == ".json"
    files = {
        name: path if single else _report_file(path, stem, reports[name])
        for name, stem in file_names(reports).items()
    }
    for name, file in files.items():
        reports[name].write(file)
        output.line(f"Report: {file}", err=True)


def _report_file(folder: Path, stem: str, report: Report) -> Path:
    """The file for a report in the folder: it replaces one of the same weights, data and protocol,
    and gets a number if another report has its name."""
    for number in count(1):
        path = folder / (f"{stem}.json" if number == 1 else f"{stem}-{number}.json")
        existing = _existing_report(path)
        if existing is None or _subject(existing) == _subject(report):
            return path
    raise AssertionError("unreachable")


def _subject(report: Report) -> list[str | None]:
    """The facts that tell which model, data and protocol a report is about."""
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
