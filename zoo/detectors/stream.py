"""The engine of `detect`: pictures are read on threads while the network runs on batches of those before them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from zoo.detections import Detections
from zoo.detectors.batching import BatchSize, Slot, Window, batch_limit
from zoo.detectors.reading import Read, read_ahead
from zoo.detectors.steps import Steps
from zoo.errors import ImageError
from zoo.images import Exif, Picture, Source
from zoo.parts.protocol import Protocol

if TYPE_CHECKING:
    from zoo.detectors.detector import Detector

Failed: TypeAlias = Callable[[ImageError], None]
Looked: TypeAlias = Callable[[Picture, Detections], None]

MOST_THREADS = 8
AHEAD = 16


def stream(
    detector: Detector,
    sources: Iterable[Source],
    *,
    protocol: Protocol,
    batch_size: BatchSize = "auto",
    exif: Exif = "apply",
    threads: int | None = None,
    failed: Failed | None = None,
    looked: Looked | None = None,
) -> Iterator[Detections]:
    """What the detector sees in one picture after the other, in order, with memory for a window of them.

    sources: pulled lazily, a bounded number ahead; what they raise themselves ends the stream.
    threads: that read ahead; None is one a processor, at most 8; 0 reads in this thread and pulls nothing ahead.
    failed:  called with each picture's error when its turn comes; without it, the error is raised then.
    looked:  called with each picture and what was seen in it before the picture is let go: batch by batch, not quite in order.

    Raises:
        ImageError: a picture can't be read, or is of a size the network can't take, and nobody is told by `failed`.
        ContractError: the detector's plugin made something that is no detection.
    """
    check_options(batch_size, exif, threads)
    threads = _processors() if threads is None else threads
    return _stream(detector, sources, protocol, batch_size, exif, threads, failed, looked)


def check_options(batch_size: BatchSize, exif: str, threads: int | None) -> None:
    """Raises: ValueError, with what to pass, for the first that `stream` can't use."""
    if batch_size != "auto" and not (isinstance(batch_size, int) and not isinstance(batch_size, bool) and batch_size >= 1):
        raise ValueError(f"batch_size={batch_size!r}: a number of pictures, at least 1, or 'auto'")
    if exif not in ("apply", "ignore"):
        raise ValueError(f"exif={exif!r}: 'apply' turns pictures upright, 'ignore' leaves them as they are stored")
    if threads is not None and not (isinstance(threads, int) and not isinstance(threads, bool) and threads >= 0):
        raise ValueError(f"threads={threads!r}: a number of threads that read ahead, or 0 for none")


def _stream(
    detector: Detector,
    sources: Iterable[Source],
    protocol: Protocol,
    batch_size: BatchSize,
    exif: Exif,
    threads: int,
    failed: Failed | None,
    looked: Looked | None,
) -> Iterator[Detections]:
    device = detector.device
    ahead = max(2 * threads, AHEAD if batch_size == "auto" else batch_size)
    steps = Steps(detector, protocol)
    window = Window(partial(batch_limit, batch_size, device=device))
    with closing(read_ahead(sources, exif=exif, threads=threads, ahead=ahead, pin=device.type == "cuda")) as pictures:
        for picture in pictures:
            if not _entered(window, steps, picture) and failed is None:
                break
            for slots in window.due():
                _look(steps, slots, looked)
            yield from _finished(window, failed)
    for slots in window.due(rest=True):
        _look(steps, slots, looked)
        yield from _finished(window, failed)
    yield from _finished(window, failed)


def _entered(window: Window, steps: Steps, picture: Read) -> bool:
    """Whether it is in the window as a picture; else the error is there in its place: of reading it, or of its size."""
    try:
        if isinstance(picture, ImageError):
            raise picture
        window.add(picture, steps.input_size(picture))
    except ImageError as why:
        window.fail(why)
        return False
    return True


def _processors() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_THREADS, usable)


def _finished(window: Window, failed: Failed | None) -> Iterator[Detections]:
    for outcome in window.outcomes():
        if isinstance(outcome, Detections):
            yield outcome
        elif failed is None:
            raise outcome
        else:
            failed(outcome)


def _look(steps: Steps, slots: list[Slot], looked: Looked | None) -> None:
    """One batch through the network; every slot gets its outcome and lets go of its picture."""
    pictures = [slot.picture for slot in slots if slot.picture]
    for slot, picture, seen in zip(slots, pictures, steps.run(pictures), strict=True):
        slot.picture, slot.outcome = None, seen
        if looked:
            looked(picture, seen)
