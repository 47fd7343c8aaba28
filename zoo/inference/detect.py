"""`detect` and `detect_stream`: from images in any form to Detections, through the steps of
a detector."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Literal

from zoo.contract.protocol import Protocol
from zoo.detections import Detections
from zoo.errors import ImageError
from zoo.images import Exif, ImageWarning, Limits, Sources, expand, is_many
from zoo.inference.batching import BatchSize
from zoo.inference.stream import check_options, stream
from zoo.progress import Bar

if TYPE_CHECKING:
    from zoo.contract.predictor import Predictor

SKIP = 'To leave such images out: on_error="skip".'
SKIP_CLI = "To leave such images out: --on-error skip."


def detect(  # noqa: PLR0913 - one parameter an option
    predictor: Predictor,
    source: Sources,
    *,
    protocol: Protocol,
    batch_size: BatchSize = "auto",
    exif: Exif = "apply",
    on_error: Literal["raise", "skip"] = "raise",
    progress: bool | None = None,
    threads: int | None = None,
    limits: Limits | None = None,
) -> Detections | list[Detections]:
    """Detects in one image, or in each of many; `Detector.detect` explains the options."""
    skip = _skips(on_error)
    check_options(batch_size, exif, threads)
    look = partial(
        stream, predictor, protocol=protocol, batch_size=batch_size, exif=exif, limits=limits
    )
    if not is_many(source):
        [seen] = look(expand(source), threads=0)
        return seen
    listed = isinstance(
        source, str | os.PathLike | list | tuple
    )  # other sequences may make their images as they go
    images = list(expand(source)) if listed else expand(source)
    with Bar(
        "Detecting", total=len(images) if isinstance(images, list) else None, show=progress
    ) as bar:

        def skipped(error: ImageError) -> None:
            _warn(error)
            bar.advance()

        found = []
        failed = skipped if skip else None
        many = look(images, threads=threads, failed=failed)
        lone = isinstance(images, list) and len(images) == 1
        for seen in many if lone else _advised(many):
            found.append(seen)
            bar.advance()
    return found


def detect_stream(
    predictor: Predictor,
    sources: Sources,
    *,
    protocol: Protocol,
    batch_size: BatchSize = "auto",
    exif: Exif = "apply",
    on_error: Literal["raise", "skip"] = "raise",
    threads: int | None = None,
    limits: Limits | None = None,
) -> Iterator[Detections]:
    """Detects in one image after the other; `Detector.detect_stream` explains the options."""
    failed = _warn if _skips(on_error) else None
    return _advised(
        stream(
            predictor,
            expand(sources),
            protocol=protocol,
            batch_size=batch_size,
            exif=exif,
            threads=threads,
            limits=limits,
            failed=failed,
        )
    )


def _advised(many: Iterator[Detections]) -> Iterator[Detections]:
    """The same; the error of one of many images, which ends them, says how to go on without
    it."""
    try:
        yield from many
    except ImageError as why:
        why.fix, why.fix_cli = f"{why.fix} {SKIP}", f"{why.fix_cli} {SKIP_CLI}"
        raise


def _skips(on_error: str) -> bool:
    if on_error not in ("raise", "skip"):
        raise ValueError(
            f"on_error={on_error!r}: 'raise' stops at a bad image, 'skip' warns and goes on"
        )
    return on_error == "skip"


def _warn(error: ImageError) -> None:
    warnings.warn(str(error), ImageWarning, stacklevel=2)
