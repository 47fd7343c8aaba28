"""What `zoo detect` does: a line a picture, results and annotated pictures, while the network runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Literal, TypeAlias

import torch
import typer

from zoo.cli.results import Annotated, ImageIds, json_list, object_of
from zoo.detections import Detections
from zoo.detectors import Detector, Protocol, load
from zoo.detectors.progress import Bar
from zoo.detectors.stream import Looked, stream
from zoo.draw import draw, save
from zoo.errors import ImageError
from zoo.images import Picture, expand

Write: TypeAlias = Callable[[Detections], None]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was typed after `zoo detect`."""

    sources: Sequence[str]
    model: str
    weights: str | None = None
    labels: str | Sequence[str] | None = None
    device: str | None = None
    protocol: Protocol = field(default_factory=lambda: Protocol(score=0.3))
    batch_size: int | Literal["auto"] = "auto"
    exif: Literal["apply", "ignore"] = "apply"
    json_to: str | None = None
    coco_to: str | None = None
    coco_images: Path | None = None
    save_to: Path | None = None


def check_device(device: str | None) -> None:
    """Refuses a device that torch can't use here. Raises: typer.BadParameter with torch's reason."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as why:
        reason = str(why).splitlines()[0]
        raise typer.BadParameter(f"torch can't use '{device}' on this machine: {reason}", param_hint="--device") from why


def run(asked: Request) -> int:
    """Runs the request; returns 0, 1 where some pictures could not be read, or 6 where none could."""
    ids = ImageIds.read(asked.coco_images) if asked.coco_to else None
    pictures = list(chain.from_iterable(expand(source) for source in asked.sources))
    detector = load(asked.model, weights=_weights(asked.weights), labels=asked.labels, device=asked.device)
    failed: list[ImageError] = []
    with ExitStack() as stack:
        writers = list(_writers(asked, detector, ids, stack))
        bar = stack.enter_context(Bar("Detecting", total=len(pictures)))

        def skip(error: ImageError) -> None:
            failed.append(error)
            typer.echo(str(error), err=True)
            bar.advance()

        look = _picture_writer(Annotated(asked.save_to)) if asked.save_to else None
        for seen in stream(
            detector,
            pictures,
            protocol=asked.protocol,
            batch_size=asked.batch_size,
            exif=asked.exif,
            failed=skip,
            looked=look,
        ):
            for write in writers:
                write(seen)
            bar.advance()
    _say(failed, len(pictures), asked)
    return 0 if not failed else ImageError.exit_code if len(failed) == len(pictures) else 1


def _weights(text: str | None) -> bool | str:
    """`--weights` as `zoo.load` takes it: nothing is the card's own, `random` is none."""
    return {None: True, "random": False}.get(text, text or True)


def _writers(asked: Request, detector: Detector, ids: ImageIds | None, stack: ExitStack) -> Iterator[Write]:
    if asked.json_to != "-" and asked.coco_to != "-":
        yield _print_line
    if asked.json_to:
        yield _json_writer(asked.json_to, detector, stack)
    if asked.coco_to and ids:
        yield _coco_writer(asked.coco_to, ids, stack)


def _print_line(seen: Detections) -> None:
    height, width = seen.size or (0, 0)
    counts = Counter(seen.class_names)
    found = ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "nothing"
    typer.echo(f"{seen.source}  {width}x{height}  {found}")


def _json_writer(to: str, detector: Detector, stack: ExitStack) -> Write:
    add = stack.enter_context(json_list(to))
    sha256 = detector.weights.sha256 if detector.weights else None

    def write(seen: Detections) -> None:
        add(object_of(seen, model=detector.name, weights_sha256=sha256))

    return write


def _coco_writer(to: str, ids: ImageIds, stack: ExitStack) -> Write:
    add = stack.enter_context(json_list(to))

    def write(seen: Detections) -> None:
        for row in seen.to_coco(image_id=ids.of(seen.source or "")):
            add(row)

    return write


def _picture_writer(annotated: Annotated) -> Looked:
    def write(picture: Picture, seen: Detections) -> None:
        save(draw(picture.pixels, seen), annotated.path_for(seen.source or "picture.png"))

    return write


def _say(failed: Sequence[ImageError], total: int, asked: Request) -> None:
    if failed:
        typer.echo(f"{len(failed)} of {total} pictures could not be read.", err=True)
    for what, to in (("Results", asked.json_to), ("COCO results", asked.coco_to), ("Annotated pictures", asked.save_to)):
        if to and str(to) != "-":
            typer.echo(f"{what}: {to}", err=True)
