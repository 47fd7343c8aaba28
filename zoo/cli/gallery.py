"""The options of `--report`, and writing its page; shared by detect, video and evaluate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from zoo.cli import output
from zoo.cli.format import format_percent
from zoo.errors import UsageError

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.detectors import Protocol
    from zoo.detectors.detector import BasePredictor
    from zoo.evaluate import Predictions, Report
    from zoo.gallery import Collection, Written

DEFAULT_IMAGES = 200
To: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--report", metavar="FILE", help="Write a page to look at: images, boxes, filters (.html)."
    ),
]
Count: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--report-images",
        metavar="COUNT",
        help=f"Images on that page; else {DEFAULT_IMAGES}. All together take at most 24 MB.",
    ),
]


def image_count(to: Path | None, most: int | None, *, models: Sequence[str] = ()) -> int:
    """The most images on the page, once `--report` and `--report-images` are checked.

    to: the file of the page, if one is requested.
    most: the value of `--report-images`.
    models: what the page is of, if known.

    Raises: UsageError for a number without a page, a number out of range, or several models for
        one page; UsageError, ImageError if the page can't be written there.
    """
    if to is None:
        if most is not None:
            case = "It is for --report, which was not."
            raise UsageError("--report-images was given.", case, "Add --report report.html")
        return DEFAULT_IMAGES
    from zoo.gallery import writable_page  # deferred: it imports torch, which help does not need
    from zoo.gallery.collect import check_most

    if len(set(models)) > 1:
        case = f"There are {len(set(models))} models, and a page is of one."
        raise UsageError(f"--report '{to}' was given.", case, "Name one model, or use --json.")
    check_most(DEFAULT_IMAGES if most is None else most)
    writable_page(to)
    return DEFAULT_IMAGES if most is None else most


def page_of(to: Path | None, most: int | None) -> dict[str, Any]:
    """The checked options as fields of a request: `report_to` and `report_images`. Raises: as
    `image_count`."""
    return {"report_to": to, "report_images": image_count(to, most)}


def facts_of(detector: BasePredictor, protocol: Protocol) -> dict[str, str]:
    """The provenance of detections: model, weights, thresholds, software and hardware."""
    from zoo.evaluate.predictions.provenance import hardware, now, software

    weights = detector.weights
    return {
        "model": str(detector.name),
        "weights_sha256": weights.sha256 if weights else "none: the weights are random",
        "thresholds": protocol.filled(detector.defaults).to_json(),
        **software(),
        **hardware(detector.device),
        "made": now(),
    }


def write_page(
    collection: Collection, detector: BasePredictor, protocol: Protocol, to: Path
) -> None:
    """Writes the page of the detections, and prints its path."""
    from zoo.gallery import write  # deferred: it imports torch, which help does not need

    page = collection.gallery(
        title=f"Detections of {detector.name}",
        lowest=protocol.score or 0.0,
        facts=facts_of(detector, protocol),
    )
    print_written(write(page, to))


def print_written(written: Written) -> None:
    """Prints the path of the page, its size and its number of images."""
    output.line(f"Report: {written}", err=True)


def measure_with_page(
    model: str,
    measure: Callable[[str | Predictions], Report],
    *,
    dataset: Dataset,
    to: Path,
    most: int,
    running: Mapping[str, object] | None,
) -> Report:
    """The report on a model or a file of detections; writes its page too.

    measure: makes the report, on `dataset`.
    running: options for running the model; None if `model` is a file of detections.
    """
    from zoo.evaluate import predict
    from zoo.evaluate.gallery import save

    subject = model if running is None else predict(model, data=dataset, **running)  # type: ignore[arg-type]
    report = measure(subject)
    point = report.analyses.operating if report.analyses else None
    print_written(
        save(
            subject,
            data=dataset,
            to=to,
            score=point.score if point else None,
            most=most,
            summary=summary_of(report),
        )
    )
    return report


def summary_of(report: Report) -> tuple[str, ...]:
    """A sentence with the main numbers; none without an AP."""
    if report.ap is None:
        return ()
    ends = report.interval("AP")
    interval = f" ({format_percent(ends.low)} to {format_percent(ends.high)})" if ends else ""
    return (
        f"AP {format_percent(report.ap)}{interval}, AP50 {format_percent(report['AP50'])}, AP75 "
        f"{format_percent(report['AP75'])}.",
    )
