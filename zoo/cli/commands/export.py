"""`zoo export`: writes a model as ONNX, OpenVINO IR or a `torch.export` program, and checks that it
agrees with torch.

With `--json`, one object: path, name, format, bytes, float32_bytes, precision, batch (null is any
number of images), dynamic_size, exporter, tried (the ways that failed before, with the reason),
parity {images, sizes, batches, outputs: the largest difference in each, detections, score, box,
unmatched}, accuracy (null if not measured, else {data, images, before, after, low, high, p_value},
AP from 0 to 1), int8 (null, or {layers, floating: the names of those in float32, calibrated,
budget, speed {before, after: milliseconds of one core, ratio, low, high}, tried [{floating, ap,
lost}]}), seconds.

If no INT8 file is both within the budget and faster, none is written and the exit code is 13.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from zoo.cli import output
from zoo.cli.format import format_megabytes
from zoo.cli.options import NewLabels, Weights, check_names, labels_of, weights_of
from zoo.errors import UsageError
from zoo.text import pluralize

if TYPE_CHECKING:
    from zoo.engines import Exported, Int8


class FormatName(StrEnum):
    """The formats of exported files."""

    onnx = "onnx"
    openvino = "openvino"
    torch = "torch"


class ExporterName(StrEnum):
    """The writers of ONNX."""

    dynamo = "dynamo"
    legacy = "legacy"


Name = Annotated[str, typer.Argument(metavar="NAME", help="A name that zoo list shows.")]
To = Annotated[
    Path,
    typer.Option(metavar="FILE|FOLDER", help="A file, .onnx or .pt2; a folder for OpenVINO."),
]
Format = Annotated[
    FormatName | None,
    typer.Option(
        metavar="FORMAT", help="onnx, openvino or torch; unless given, as the file is called."
    ),
]
Batch = Annotated[
    str | None,
    typer.Option(
        metavar="dynamic|COUNT",
        help="Images at once; else any number where the network allows it, and one if not.",
    ),
]
Images = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATH",
        help="Compare with torch on these images, not on rendered scenes.",
        show_default=False,
    ),
]
Writer = Annotated[
    ExporterName | None,
    typer.Option(metavar="dynamo|legacy", help="What writes ONNX; else the first that can."),
]
Half = Annotated[bool, typer.Option("--half", help="Store weights in float16, at half the size.")]
Data = Annotated[
    str | None,
    typer.Option(
        metavar="DATA",
        help="Annotated images, as coco:PATH, to measure what a lighter file loses in AP.",
    ),
]
Lighter = Annotated[
    bool, typer.Option("--int8", help="Compute in int8 as many layers as the budget allows.")
]
Calibrate = Annotated[
    str | None,
    typer.Option(
        metavar="DATA",
        help="Annotated images for --int8; a quarter calibrate it, and AP is measured on the "
        "others, or on --data.",
    ),
]
Budget = Annotated[
    float | None,
    typer.Option(metavar="POINTS", help="Points of AP that INT8 may lose. [default: 0.5]"),
]
Slower = Annotated[
    bool,
    typer.Option(
        "--even-if-slower", help="Write an INT8 file for its size, also where it is not faster."
    ),
]

TITLES = {"onnx": "ONNX", "openvino": "OpenVINO IR", "torch": "torch.export program"}


def export(  # noqa: PLR0913 - one parameter an option
    model: Name,
    to: To,
    format: Format = None,
    weights: Weights = None,
    labels: NewLabels = None,
    batch: Batch = None,
    images: Images = None,
    exporter: Writer = None,
    half: Half = False,
    int8: Lighter = False,
    calibrate: Calibrate = None,
    budget: Budget = None,
    even_if_slower: Slower = False,
    data: Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Write a model as a file that needs no torch network: ONNX, OpenVINO IR or torch.export.

    The file carries the card, preprocessing, classes, thresholds and licences. It takes its place
    once its outputs and detections agree with torch.
    """
    check_names([model])
    from zoo import export as write  # deferred: torch, which help does not need
    from zoo import load

    int8_options = _int8(int8, half, calibrate, budget, even_if_slower)
    detector = load(
        model,
        weights=weights_of(weights),
        labels=None if labels is None else labels_of(labels),
        device="cpu",
    )
    output.line(f"Exporting {detector.name} to {to}; this takes up to minutes.", err=True)
    exported = write(
        detector,
        to=to,
        format=format.value if format else None,
        batch=_batch_of(batch),
        images=images or (),
        exporter=exporter.value if exporter else None,
        half=half,
        int8=int8_options,
        data=data,
    )
    output.line(f"Exported in {exported.seconds:.0f} s.", err=True)
    if as_json:
        output.document(exported.to_json())
    else:
        output.lines(_lines(exported))


def _int8(
    requested: bool, half: bool, calibrate: str | None, budget: float | None, even_if_slower: bool
) -> Int8 | None:
    """The INT8 settings, None without --int8. Raises: UsageError for options that do not go
    together."""
    from zoo.engines import Int8  # deferred: torch

    if not requested:
        int8_only = [("--calibrate", calibrate), ("--budget", budget)]
        names = [name for name, value in int8_only if value is not None]
        names += ["--even-if-slower"] * even_if_slower
        if names:
            case = "It is for INT8 files, and --int8 was not given."
            raise UsageError(f"{names[0]} was given.", case, "Add --int8, or leave it out.")
        return None
    if half:
        raise UsageError(
            "--half and --int8 were given together.",
            "Weights are stored in float16 or in int8.",
            "Leave one of them out.",
        )
    if calibrate is None:
        raise UsageError(
            "--int8 was given.",
            "INT8 is calibrated on images, and none are named.",
            "Add --calibrate coco:PATH, a hundred annotated images or more.",
        )
    options = {} if budget is None else {"budget": budget}
    return Int8(calibrate, even_if_slower=even_if_slower, **options)


def _batch_of(text: str | None) -> int | Literal["dynamic"] | None:
    """`--batch` as `zoo.export` takes it. Raises: UsageError."""
    if text is None or text == "dynamic":
        return text  # type: ignore[return-value]
    if text.isascii() and text.isdecimal() and len(text) < 5:
        return int(text)
    case = "It is a number of images, or dynamic for any number."
    raise UsageError(f"--batch {text:.40} was given.", case, "Write --batch 1, for example.")


def _lines(exported: Exported) -> list[str]:
    parity = exported.parity
    sizes = ", ".join(f"{width} x {height}" for height, width in parity.sizes)
    batch = "any number of images" if exported.batch is None else pluralize(exported.batch, "image")
    lines = [
        f"{exported.path}  {TITLES[exported.format]}, {format_megabytes(exported.bytes)}, "
        f"{batch} at once, written by {exported.exporter}",
        *_lighter(exported),
        f"{_comparison(exported)} with torch on {pluralize(parity.images, 'image')} of {sizes} "
        f"input pixels, {', '.join(map(str, parity.batches))} at once:",
        f"  outputs differ by {parity.worst:.2g} at most",
        f"  {pluralize(parity.detections, 'detection')}: scores by {parity.score:.2g}, "
        f"boxes by {parity.box:.2g} pixels{_unmatched_text(parity.unmatched)}",
    ]
    return [*lines, *(f"Not possible: {reason}" for reason in exported.tried)]


def _lighter(exported: Exported) -> list[str]:
    """Lines on the size, layers and AP of a file that is not float32."""
    if exported.precision == "float32":
        return []
    share = exported.bytes / exported.float32_bytes
    size = f"{format_megabytes(exported.float32_bytes)} in float32"
    lines = [f"Weights in {exported.precision}: {100 * share:.0f} % of {size}"]
    if (int8 := exported.int8) is not None:
        lines.append(
            f"{int8.layers - len(int8.floating)} of {int8.layers} layers in int8, calibrated on "
            f"{pluralize(int8.calibrated, 'image')}: {int8.speed}"
        )
    return lines if exported.accuracy is None else [*lines, str(exported.accuracy)]


def _comparison(exported: Exported) -> str:
    return "Compared" if exported.int8 is None else "Compared in float32, before it was quantised,"


def _unmatched_text(count: int) -> str:
    return f"; {count} in one of the two alone" if count else ""
