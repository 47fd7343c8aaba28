"""`zoo detect`: detects objects in images.

With `--json`, a list with one object per image: file (as given), width, height, saved (the path of
the annotated image, with `--save`), model, weights_sha256 (null for random weights) and detections,
a list of {box: [x1, y1, x2, y2], score, label, name}, best first. With `--coco`, a COCO results
list: image_id, category_id (the data set's), bbox [x, y, width, height], score. Boxes are in
pixels. `-` is standard output; a file that ends in `.jsonl` gets one object per line. A file
appears when it is complete.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli import gallery
from zoo.cli.options import (
    LABELS,
    BatchSize,
    Device,
    Engine,
    Exif,
    Weights,
    batch_size_of,
    check_names,
    labels_of,
    thresholds_of,
)


class OnError(StrEnum):
    """Reactions to an image that can't be read."""

    skip = "skip"
    stop = "raise"  # a keyword of Python, and so not a name


Images = Annotated[
    list[str],
    typer.Argument(metavar="IMAGE|FOLDER|GLOB|URL", help="What to look at.", show_default=False),
]


def _check_model(name: str | None) -> str | None:
    """Checks the name of the model, before torch is imported, and returns it."""
    check_names([name] if name else [])
    return name


Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        callback=_check_model,
        help="A name that zoo list shows, or one with a .TAG; else yolox_nano, or yolox_pico where "
        "its weights can't be had.",
    ),
]
Labels = Annotated[
    str | None, typer.Option(metavar="NAMES", help=f"Classes instead of the card's. {LABELS}")
]
Score = Annotated[
    float,
    typer.Option(
        "--score", metavar="SCORE", min=0, max=1, help="Leave out what the model is less sure of."
    ),
]
IouOption = Annotated[
    float | None,
    typer.Option(
        metavar="IOU",
        min=0,
        max=1,
        help="Non-maximum suppression above this IoU; else the family's own.",
    ),
]
MaxBoxes = Annotated[
    int | None,
    typer.Option(
        metavar="COUNT", min=1, help="At most this many boxes per image; else the family's own."
    ),
]
Json = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write one object an image; - is standard output."),
]
Coco = Annotated[
    str | None,
    typer.Option("--coco", metavar="FILE", help="Write a COCO results list; - is standard output."),
]
CocoImages = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help=(
            "COCO annotations whose image and category ids to write; else file names are ids, and "
            "categories the model's."
        ),
    ),
]
Save = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="Save annotated images there, in folders like the originals'."
    ),
]
Turn = Annotated[
    Exif,
    typer.Option(
        metavar="apply|ignore", help="Turn images upright as EXIF says, or take them as stored."
    ),
]
Font = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Font of the class names; else one that has their letters."),
]
Limit = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=NUMBER",
        help="What an image may cost: pixels, memory, seconds, download. memory=4G",
        show_default=False,
    ),
]
Broken = Annotated[
    OnError,
    typer.Option(
        metavar="skip|raise", help="Leave out an image that can't be read, or stop there."
    ),
]


def detect(  # noqa: PLR0913 - one parameter an option
    images: Images,
    model: Model = None,
    weights: Weights = None,
    labels: Labels = None,
    score: Score = 0.3,
    iou: IouOption = None,
    max_boxes: MaxBoxes = None,
    json_to: Json = None,
    coco_to: Coco = None,
    coco_images: CocoImages = None,
    save: Save = None,
    font: Font = None,
    report: gallery.To = None,
    report_images: gallery.Count = None,
    device: Device = None,
    engine: Engine = None,
    batch_size: BatchSize = None,
    exif: Turn = Exif.apply,
    on_error: Broken = OnError.skip,
    limit: Limit = None,
) -> None:
    """Detect objects in images, and print one line per image.

    Images that can't be read are named on standard error; the exit code is then 1, or 6 if none can
    be read.
    """
    from zoo.cli import detect_run  # deferred: torch, which help does not need
    from zoo.images import Limits

    request = detect_run.Request(
        sources=images,
        model=model,
        weights=weights,
        labels=None if labels is None else labels_of(labels),
        device=device,
        engine=engine,
        protocol=thresholds_of(score=score, iou=iou, max_boxes=max_boxes),
        batch_size=batch_size_of(batch_size),
        exif=exif.value,
        on_error=on_error.value,
        json_to=json_to,
        coco_to=coco_to,
        coco_images=coco_images,
        save_to=save,
        font=font,
        **gallery.page_of(report, report_images),
        limits=Limits.in_force().changed(limit or []),
    )
    raise typer.Exit(detect_run.run(request))
