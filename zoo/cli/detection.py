"""What `zoo detect` does: a line a picture, results and annotated pictures, while the network runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Literal

import typer

from zoo.cli.results import Annotated, ImageIds, json_list, object_of
from zoo.detections import Detections
from zoo.detectors import Detector, Protocol, load
from zoo.detectors.progress import Bar
from zoo.detectors.stream import stream
from zoo.draw import draw, save
from zoo.errors import ImageError
from zoo.images import Picture, Source, expand


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was typed after `zoo detect`."""

    sources: Sequence[str]
    model: str
    weights: str | None = None
    device: str | None = None
    protocol: Protocol = field(default_factory=lambda: Protocol(score=0.3))
    batch_size: int | Literal["auto"] = "auto"
    exif: Literal["apply", "ignore"] = "apply"
    json_to: str | None = None
    coco_to: str | None = None
    coco_images: Path | None = None
    save_to: Path | None = None


def run(asked: Request) -> int:
    """Runs the request; returns 0, 1 where some pictures could not be read, or 6 where none could."""
    ids = ImageIds.read(asked.coco_images) if asked.coco_to else None
    pictures = list(chain.from_iterable(expand(source) for source in asked.sources))
    detector = load(asked.model, weights=_weights(asked.weights), device=asked.device)
    failed: list[ImageError] = []
    with ExitStack() as stack:
        writers = list(_writers(asked, detector, ids, stack))
        bar = stack.enter_context(Bar("Detecting", total=len(pictures)))

        def skip(error: ImageError) -> None:
            failed.append(error)
            typer.echo(str(error), err=True)
            bar.advance()

        for picture, seen in _stream(detector, pictures, asked, skip):
            for write in writers:
                write(picture, seen)
            bar.advance()
    _say(failed, len(pictures), asked)
    return 0 if not failed else ImageError.exit_code if len(failed) == len(pictures) else 1


def _stream(
    detector: Detector, pictures: list[Source], asked: Request, skip: Callable[[ImageError], None]
) -> Iterator[tuple[Picture, Detections]]:
    return stream(detector, pictures, protocol=asked.protocol, batch_size=asked.batch_size, exif=asked.exif, failed=skip)


def _weights(text: str | None) -> bool | str:
    """`--weights` as `zoo.load` takes it: nothing is the card's own, `random` is none."""
    return {None: True, "random": False}.get(text, text or True)


def _writers(
    asked: Request, detector: Detector, ids: ImageIds | None, stack: ExitStack
) -> Iterator[Callable[[Picture, Detections], None]]:
    if asked.json_to != "-" and asked.coco_to != "-":
        yield _print_line
    if asked.json_to:
        yield _json_writer(asked.json_to, detector, stack)
    if asked.coco_to and ids:
        yield _coco_writer(asked.coco_to, ids, stack)
    if asked.save_to:
        yield _picture_writer(Annotated(asked.save_to))


def _print_line(picture: Picture, seen: Detections) -> None:
    height, width = picture.size
    counts = Counter(seen.class_names)
    found = ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "nothing"
    typer.echo(f"{seen.source}  {width}x{height}  {found}")


def _json_writer(to: str, detector: Detector, stack: ExitStack) -> Callable[[Picture, Detections], None]:
    add = stack.enter_context(json_list(to))
    sha256 = detector.weights.sha256 if detector.weights else None

    def write(_: Picture, seen: Detections) -> None:
        add(object_of(seen, model=detector.name or "", weights_sha256=sha256))

    return write


def _coco_writer(to: str, ids: ImageIds, stack: ExitStack) -> Callable[[Picture, Detections], None]:
    add = stack.enter_context(json_list(to))

    def write(_: Picture, seen: Detections) -> None:
        for row in seen.to_coco(image_id=ids.of(seen.source or "")):
            add(row)

    return write


def _picture_writer(annotated: Annotated) -> Callable[[Picture, Detections], None]:
    def write(picture: Picture, seen: Detections) -> None:
        save(draw(picture.pixels, seen), annotated.path_for(seen.source or "picture.png"))

    return write


def _say(failed: Sequence[ImageError], total: int, asked: Request) -> None:
    if failed:
        typer.echo(f"{len(failed)} of {total} pictures could not be read.", err=True)
    for what, to in (("Results", asked.json_to), ("COCO results", asked.coco_to), ("Annotated pictures", asked.save_to)):
        if to and str(to) != "-":
            typer.echo(f"{what}: {to}", err=True)
