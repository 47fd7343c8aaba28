"""`zoo detect`: finds things in pictures.

With `--json`, a list with one object a picture: file, width, height, model, weights_sha256 (null for random weights) and
detections, a list of {box: [x1, y1, x2, y2], score, label, name}, best first. With `--coco`, a COCO results list: image_id,
category_id (the data set's), bbox [x, y, width, height], score. `-` is standard output; a file that ends in `.jsonl` gets one
object a line.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.labels import LABELS, labels_of

DEFAULT = "yolox_nano"


class Exif(StrEnum):
    """What to do with a picture's EXIF orientation."""

    apply = "apply"
    ignore = "ignore"


def detect(  # noqa: PLR0913 - one parameter an option
    pictures: Annotated[list[str], typer.Argument(metavar="IMAGE|FOLDER|GLOB|URL", help="What to look at.", show_default=False)],
    model: Annotated[str, typer.Option(metavar="NAME", help="A name that zoo list shows, or one with a .TAG.")] = DEFAULT,
    weights: Annotated[
        str | None, typer.Option(metavar="WHICH", help="A tag, file:PATH, hub:org/repo@REVISION, or random; else the card's own.")
    ] = None,
    labels: Annotated[
        str | None, typer.Option(metavar="NAMES", help=f"What the weights were trained for, if not the card's classes. {LABELS}")
    ] = None,
    score: Annotated[float, typer.Option(min=0, max=1, help="Leave out what the model is less sure of.")] = 0.3,
    iou: Annotated[
        float | None, typer.Option(min=0, max=1, help="Non-maximum suppression above this overlap; else the family's own.")
    ] = None,
    max_boxes: Annotated[int | None, typer.Option(min=1, help="At most so many boxes a picture; else the family's own.")] = None,
    json_to: Annotated[str | None, typer.Option("--json", metavar="OUT", help="Write one object a picture.")] = None,
    coco_to: Annotated[str | None, typer.Option("--coco", metavar="OUT", help="Write a COCO results list.")] = None,
    coco_images: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="COCO annotations that say each picture's id; else its name has to be a number."),
    ] = None,
    save: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Save annotated pictures.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps; else torch's default.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Pictures at once; else what fits.")] = None,
    exif: Annotated[Exif, typer.Option(help="Turn pictures upright as EXIF says, or take them as stored.")] = Exif.apply,
) -> None:
    """Find things in pictures, and print a line a picture.

    A picture that can't be read is named on standard error and the rest goes on: the exit code is 1 then, and 6 where none could
    be read.
    """
    from zoo.cli.detection import Request, check_device, run  # deferred: they import torch, which help does not need
    from zoo.detectors import Protocol

    check_device(device)
    request = Request(
        sources=pictures,
        model=model,
        weights=weights,
        labels=None if labels is None else labels_of(labels),
        device=device,
        protocol=Protocol(score=score, iou=iou, max_boxes=max_boxes),
        batch_size=batch_size or "auto",
        exif=exif.value,
        json_to=json_to,
        coco_to=coco_to,
        coco_images=coco_images,
        save_to=save,
    )
    raise typer.Exit(run(request))
