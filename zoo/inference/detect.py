"""`detect`, `detect_stream` and the `stream` under both: from images in any form to Detections in
order, with each image's error in its place and a warning of what reading lost."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

from zoo.contract.predictor import is_out_of_memory
from zoo.contract.protocol import Protocol
from zoo.counts import count_of
from zoo.detections import Detections
from zoo.environment import cores
from zoo.errors import ContractError, ImageError
from zoo.images import Exif, Image, ImageWarning, Limits, Source, Sources, expand, is_many
from zoo.inference.batching import WINDOW_BYTES, BatchLimit, BatchRunner, BatchSize, Slot, Window
from zoo.inference.prefetch import Broken, Read, prefetch
from zoo.progress import Bar
from zoo.text import pluralize

if TYPE_CHECKING:
    from zoo.contract.predictor import Predictor

SKIP = 'To leave such images out: on_error="skip".'
SKIP_CLI = "To leave such images out: --on-error skip."

Failed: TypeAlias = Callable[[ImageError], None]
Looked: TypeAlias = Callable[[Image, Detections], None]

MOST_THREADS = 8
AHEAD = 16


class DetectOptions(TypedDict, total=False):
    """The options of `Detector.detect`, which explains them."""

    score: float | None
    iou: float | None
    max_boxes: int | None
    batch_size: BatchSize
    exif: Exif
    on_error: Literal["raise", "skip"]
    progress: bool | None
    threads: int | None
    limits: Limits | None


SHOWN = 3  # images a kind that are named
_REST = {
    "frames": "more frames or pages than the first, which is read",
    "bits": "more than 8 bits a channel",
    "range": "values in less than half of their range, so that they come out dark",
    "transparency": "transparent places",
}


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
    detections_of = partial(
        stream, predictor, protocol=protocol, batch_size=batch_size, exif=exif, limits=limits
    )
    if not is_many(source):
        [detections] = detections_of(expand(source), threads=0)
        return detections
    # Other sequences may make their images as they go.
    listed = isinstance(source, str | os.PathLike | list | tuple)
    images = list(expand(source)) if listed else expand(source)
    with Bar(
        "Detecting", total=len(images) if isinstance(images, list) else None, show=progress
    ) as bar:

        def skipped(error: ImageError) -> None:
            _warn(error)
            bar.advance()

        results = []
        failed = skipped if skip else None
        many = detections_of(images, threads=threads, failed=failed)
        lone = isinstance(images, list) and len(images) == 1
        for detections in many if lone else _advised(many):
            results.append(detections)
            bar.advance()
    return results


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
    except ImageError as error:
        error.fix, error.fix_cli = f"{error.fix} {SKIP}", f"{error.fix_cli} {SKIP_CLI}"
        raise


def _skips(on_error: str) -> bool:
    if on_error not in ("raise", "skip"):
        raise ValueError(
            f"on_error={on_error!r}: 'raise' stops at a bad image, 'skip' warns and goes on"
        )
    return on_error == "skip"


def _warn(error: ImageError) -> None:
    warnings.warn(str(error), ImageWarning, stacklevel=2)


def stream(  # noqa: PLR0913 - one parameter an option
    predictor: Predictor,
    sources: Iterable[Source],
    *,
    protocol: Protocol,
    batch_size: BatchSize = "auto",
    exif: Exif = "apply",
    threads: int | None = None,
    limits: Limits | None = None,
    failed: Failed | None = None,
    looked: Looked | None = None,
    window: Window | None = None,
) -> Iterator[Detections]:
    """Detections of one image after the other, in order, with memory for a window of images.

    sources: pulled lazily, a bounded number ahead; what they raise themselves ends the stream,
        after the results before it.
    threads: that read ahead; None is one a processor, at most 8; 0 pulls nothing ahead.
    limits:  what reading an image may cost; None is what the environment says.
    failed:  called with each image's error when its turn comes; without it, the error is raised
        then.
    looked:  called with each image and what was seen in it before the image is let go: batch by
        batch, not quite in order.
    window:  forms the batches; None forms them as `batch_size` says.

    Raises:
        ImageError: an image can't be read, is of a size the network can't take, or too large for
            the memory there is, and nobody is told by `failed`.
        ContractError: the predictor returned something other than detections.
    """
    check_options(batch_size, exif, threads)
    limits = Limits.in_force(limits)
    device = predictor.device
    threads = min(MOST_THREADS, cores()) if threads is None else threads
    ahead = max(2 * threads, AHEAD if batch_size == "auto" else batch_size)
    pin = device.type == "cuda"
    images = prefetch(sources, exif=exif, threads=threads, ahead=ahead, limits=limits, pin=pin)
    if window is None:
        limit = BatchLimit(batch_size, device, wanted=getattr(predictor, "auto_batch", None))
        window = Window(limit, most_bytes=window_bytes(batch_size, limits.memory))
    return _stream(BatchRunner(predictor, protocol), window, images, failed, looked)


def window_bytes(batch_size: BatchSize, memory: int) -> int:
    """How many bytes of images may wait for company: a batch of the caller's size may take the
    memory that images may."""
    return WINDOW_BYTES if batch_size == "auto" else max(WINDOW_BYTES, memory)


def check_options(batch_size: BatchSize, exif: str, threads: int | None) -> None:
    """Raises: ValueError, with what to pass, for the first that `stream` can't use."""
    if batch_size != "auto" and not count_of(batch_size):
        raise ValueError(f"batch_size={batch_size!r}: a number of images, at least 1, or 'auto'")
    if exif not in ("apply", "ignore"):
        raise ValueError(
            f"exif={exif!r}: 'apply' turns images upright, 'ignore' leaves them as they are stored"
        )
    if threads is not None and not count_of(threads, least=0) is not None:
        raise ValueError(f"threads={threads!r}: a number of threads that read ahead, or 0 for none")


def _stream(
    runner: BatchRunner,
    window: Window,
    images: Generator[Read],
    failed: Failed | None,
    looked: Looked | None,
) -> Iterator[Detections]:
    try:
        yield from _detected(runner, window, images, failed, looked)
    finally:
        runner.release()


def _detected(
    runner: BatchRunner,
    window: Window,
    images: Generator[Read],
    failed: Failed | None,
    looked: Looked | None,
) -> Iterator[Detections]:
    broken: Exception | None = None
    partly_read = PartlyRead()
    with closing(images):
        for image in images:
            if isinstance(image, Broken):
                broken = image.error
                break
            entered = _entered(window, runner, image, partly_read)
            del image  # the window holds it, and lets it go when it was looked at
            if not entered and failed is None:
                break
            for slots in window.due():
                _run_batch(runner, window, slots, looked)
            yield from _finished(window, failed)
            if window.is_cut:
                break
    for slots in window.due(rest=True):
        _run_batch(runner, window, slots, looked)
        yield from _finished(window, failed)
    partly_read.sum_up()
    yield from _finished(window, failed)
    if broken:
        raise broken


def _entered(
    window: Window, runner: BatchRunner, image: Image | ImageError, partly_read: PartlyRead
) -> bool:
    """Whether it is in the window as an image; else the error is there in its place: of reading it,
    or of its size."""
    try:
        if isinstance(image, ImageError):
            raise image
        partly_read.note(image)
        window.add(image, runner.input_size(image))
    except ImageError as error:
        window.fail(error)
        return False
    except ContractError as error:
        window.fail(error)
        window.cut()
        return False
    return True


def _finished(window: Window, failed: Failed | None) -> Iterator[Detections]:
    for outcome in window.outcomes():
        if isinstance(outcome, Detections):
            yield outcome
        elif failed and isinstance(outcome, ImageError):
            failed(outcome)
        else:
            raise outcome


def _run_batch(
    runner: BatchRunner, window: Window, slots: list[Slot], looked: Looked | None
) -> None:
    """One batch through the network; every slot gets its outcome and lets go of its image.

    Where memory runs out, or the family refuses an image, the batch is halved until it is that
    image's error alone; where memory did, the batches after it are smaller too. Any other error is
    the first image's, and nothing after it is looked at any more.
    """
    images = [slot.image for slot in slots if slot.image]
    outcome = _outcome(runner, window, slots, images)
    if isinstance(outcome, list):
        for slot, image, detections in zip(slots, images, outcome, strict=True):
            slot.image, slot.outcome = None, detections
            if looked:
                looked(image, detections)
    elif not isinstance(outcome, ImageError):
        slots[0].image, slots[0].outcome = None, outcome
        window.cut(slots[0])
    elif len(slots) == 1:
        slots[0].image, slots[0].outcome = None, outcome
    else:
        del images
        start, half = 0, (len(slots) + 1) // 2
        while start < len(slots) and not window.is_cut:
            step = min(half, window.most(slots))
            _run_batch(runner, window, slots[start : start + step], looked)
            start += step


def _outcome(
    runner: BatchRunner, window: Window, slots: list[Slot], images: list[Image]
) -> list[Detections] | Exception:
    """Detections of a batch, or the error: an ImageError if it may be for one of its images that it
    failed."""
    try:
        return runner.run(images)
    except Exception as error:
        if not is_out_of_memory(error):
            return error
        runner.release()
        if len(slots) > 1:
            window.ran_out(slots)
        return runner.too_large(
            images[0], error.with_traceback(None)
        )  # with its frames, their memory is let go


class PartlyRead:
    """Counts what reading has lost so far in one stream of images."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def note(self, image: Image) -> None:
        """Warns of what reading the image lost, unless enough were named."""
        for loss in image.lost:
            self._counts[loss.kind] += 1
            if self._counts[loss.kind] <= SHOWN:
                warnings.warn(f"Image '{image.source}': {loss.case}", ImageWarning, stacklevel=2)

    def sum_up(self) -> None:
        """Warns of the others by their number."""
        for kind, count in self._counts.items():
            if count > SHOWN:
                has = "has" if count - SHOWN == 1 else "have"
                text = f"{pluralize(count - SHOWN, 'more image')} {has} {_REST[kind]}."
                warnings.warn(text, ImageWarning, stacklevel=2)
