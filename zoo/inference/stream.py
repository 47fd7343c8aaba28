"""The engine of `detect`: images are read on threads while the network runs on batches of those
before them."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, TypeAlias

from zoo.contract.protocol import Protocol
from zoo.detections import Detections
from zoo.errors import ContractError, ImageError
from zoo.images import Exif, Image, Limits, Source
from zoo.inference.batching import BatchLimit, BatchSize, Slot, Window, window_bytes
from zoo.inference.out_of_memory import is_out_of_memory
from zoo.inference.partly_read import PartlyRead
from zoo.inference.prefetch import Broken, Read, prefetch
from zoo.inference.runner import BatchRunner

if TYPE_CHECKING:
    from zoo.contract.predictor import Predictor

Failed: TypeAlias = Callable[[ImageError], None]
Looked: TypeAlias = Callable[[Image, Detections], None]

MOST_THREADS = 8
AHEAD = 16


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

    Raises:
        ImageError: an image can't be read, is of a size the network can't take, or too large for
            the memory there is, and nobody is told by `failed`.
        ContractError: the predictor returned something other than detections.
    """
    check_options(batch_size, exif, threads)
    limits = Limits.in_force(limits)
    device = predictor.device
    threads = _processors() if threads is None else threads
    ahead = max(2 * threads, AHEAD if batch_size == "auto" else batch_size)
    pin = device.type == "cuda"
    images = prefetch(sources, exif=exif, threads=threads, ahead=ahead, limits=limits, pin=pin)
    window = Window(
        BatchLimit(batch_size, device), most_bytes=window_bytes(batch_size, limits.memory)
    )
    return _stream(BatchRunner(predictor, protocol), window, images, failed, looked)


def check_options(batch_size: BatchSize, exif: str, threads: int | None) -> None:
    """Raises: ValueError, with what to pass, for the first that `stream` can't use."""
    if batch_size != "auto" and not (
        isinstance(batch_size, int) and not isinstance(batch_size, bool) and batch_size >= 1
    ):
        raise ValueError(f"batch_size={batch_size!r}: a number of images, at least 1, or 'auto'")
    if exif not in ("apply", "ignore"):
        raise ValueError(
            f"exif={exif!r}: 'apply' turns images upright, 'ignore' leaves them as they are stored"
        )
    if threads is not None and not (
        isinstance(threads, int) and not isinstance(threads, bool) and threads >= 0
    ):
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
                _look(runner, window, slots, looked)
            yield from _finished(window, failed)
            if window.is_cut:
                break
    for slots in window.due(rest=True):
        _look(runner, window, slots, looked)
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


def _processors() -> int:
    usable = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return min(MOST_THREADS, usable)


def _finished(window: Window, failed: Failed | None) -> Iterator[Detections]:
    for outcome in window.outcomes():
        if isinstance(outcome, Detections):
            yield outcome
        elif failed and isinstance(outcome, ImageError):
            failed(outcome)
        else:
            raise outcome


def _look(runner: BatchRunner, window: Window, slots: list[Slot], looked: Looked | None) -> None:
    """One batch through the network; every slot gets its outcome and lets go of its image.

    Where memory runs out, or the family refuses an image, the batch is halved until it is that
    image's error alone; where memory did, the batches after it are smaller too. Any other error is
    the first image's, and nothing after it is looked at any more.
    """
    images = [slot.image for slot in slots if slot.image]
    found = _tried(runner, window, slots, images)
    if isinstance(found, list):
        for slot, image, seen in zip(slots, images, found, strict=True):
            slot.image, slot.outcome = None, seen
            if looked:
                looked(image, seen)
    elif not isinstance(found, ImageError):
        slots[0].image, slots[0].outcome = None, found
        window.cut(slots[0])
    elif len(slots) == 1:
        slots[0].image, slots[0].outcome = None, found
    else:
        del images
        start, half = 0, (len(slots) + 1) // 2
        while start < len(slots) and not window.is_cut:
            step = min(half, window.most(slots))
            _look(runner, window, slots[start : start + step], looked)
            start += step


def _tried(
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
