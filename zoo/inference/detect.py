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
from zoo.errors import ContractError, ImageError, UsageError
from zoo.images import Exif, Image, ImageWarning, Limits, Source, Sources, expand, is_many
from zoo.inference.batch_limit import BatchLimit, BatchSize
from zoo.inference.prefetch import Broken, Read, prefetch
from zoo.inference.runner import BatchRunner
from zoo.inference.window import WINDOW_BYTES, Slot, Window
from zoo.progress import Bar
from zoo.text import pluralize

if TYPE_CHECKING:
    from zoo.contract.predictor import Predictor

SKIP = 'To leave such images out: on_error="skip".'
SKIP_CLI = "To leave such images out: --on-error skip."

OnFailure: TypeAlias = Callable[[ImageError], None]
OnResult: TypeAlias = Callable[[Image, Detections], None]

MAX_THREADS = 8
IMAGES_AHEAD = 16  # read ahead at least, with batch_size="auto"


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


MAX_IMAGES_NAMED = 3  # in warnings of each kind of loss
_LOSSES = {
    "frames": "more frames or pages than the first, which is read",
    "bits": "more than 8 bits per channel",
    "range": "values in less than half of their range, so that they come out dark",
    "transparency": "transparent pixels",
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
    if not is_many(source):
        return _detect_one(predictor, source, protocol=protocol, exif=exif, limits=limits)
    # Other sequences may create their images on demand.
    is_complete = isinstance(source, str | os.PathLike | list | tuple)
    images = list(expand(source)) if is_complete else expand(source)
    with Bar(
        "Detecting", total=len(images) if isinstance(images, list) else None, show=progress
    ) as bar:

        def skip_image(error: ImageError) -> None:
            _warn(error)
            bar.advance()

        results = []
        answers = stream(
            predictor,
            images,
            protocol=protocol,
            batch_size=batch_size,
            exif=exif,
            threads=threads,
            limits=limits,
            on_failure=skip_image if skip else None,
        )
        is_only = isinstance(images, list) and len(images) == 1
        for detections in answers if is_only else _advise_skipping(answers):
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
    on_failure = _warn if _skips(on_error) else None
    return _advise_skipping(
        stream(
            predictor,
            expand(sources),
            protocol=protocol,
            batch_size=batch_size,
            exif=exif,
            threads=threads,
            limits=limits,
            on_failure=on_failure,
        )
    )


def _detect_one(
    predictor: Predictor, source: Sources, *, protocol: Protocol, exif: Exif, limits: Limits | None
) -> Detections:
    """Detections of a single image, without the batches of a stream. Raises: see `stream`."""
    limits = Limits.in_force(limits)
    runner = BatchRunner(predictor, protocol)
    pin = predictor.device.type == "cuda"
    images = prefetch(expand(source), exif=exif, threads=0, ahead=1, limits=limits, pin=pin)
    try:
        with closing(images):
            [image] = images
        if not isinstance(image, Image):
            raise image.error if isinstance(image, Broken) else image
        PartlyRead().note(image)
        runner.input_size(image)
        outcome = _run(runner, [image])
        if isinstance(outcome, Exception):
            raise outcome
        [detections] = outcome
        return detections
    finally:
        runner.release()


def _advise_skipping(answers: Iterator[Detections]) -> Iterator[Detections]:
    """The same detections; an image's error that ends them also says how to skip such images."""
    try:
        yield from answers
    except ImageError as error:
        error.fix, error.fix_cli = f"{error.fix} {SKIP}", f"{error.fix_cli} {SKIP_CLI}"
        raise


def _skips(on_error: str) -> bool:
    if on_error not in ("raise", "skip"):
        raise UsageError(
            f"on_error={on_error!r} can't be used.",
            "It is 'raise', to stop at an image that can't be used, or 'skip', to warn and go on.",
            'Write for example on_error="skip".',
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
    on_failure: OnFailure | None = None,
    on_result: OnResult | None = None,
    window: Window | None = None,
) -> Iterator[Detections]:
    """Detections of one image after the other, in order, holding a bounded window of images.

    sources:    pulled lazily, a bounded number ahead; an error of the iterable itself ends the
        stream, after the results before it.
    threads:    that read ahead; None is one per processor, at most 8; 0 pulls nothing ahead.
    limits:     of what reading an image may cost; None takes them from the environment.
    on_failure: called with each image's error when its turn comes; without it, the error is raised
        then.
    on_result:  called with each image and its detections before the image is released: batch by
        batch, not quite in order.
    window:     forms the batches; None forms them by `batch_size`.

    Raises:
        ImageError: an image can't be read, or is too large for the network or the memory, and
            there is no `on_failure`.
        ContractError: the predictor returned something other than detections.
    """
    check_options(batch_size, exif, threads)
    limits = Limits.in_force(limits)
    device = predictor.device
    threads = min(MAX_THREADS, cores()) if threads is None else threads
    ahead = max(2 * threads, IMAGES_AHEAD if batch_size == "auto" else batch_size)
    pin = device.type == "cuda"
    images = prefetch(sources, exif=exif, threads=threads, ahead=ahead, limits=limits, pin=pin)
    if window is None:
        limit = BatchLimit.of(predictor, batch_size)
        window = Window(limit, most_bytes=window_bytes(batch_size, limits.memory))
    return _stream(BatchRunner(predictor, protocol), window, images, on_failure, on_result)


def window_bytes(batch_size: BatchSize, memory: int) -> int:
    """Bytes of images that may wait for others of their size: a batch of the caller's size may take
    all the memory allowed for images."""
    return WINDOW_BYTES if batch_size == "auto" else max(WINDOW_BYTES, memory)


def check_options(batch_size: BatchSize, exif: str, threads: int | None) -> None:
    """Raises: UsageError for the first option that `stream` can't use."""
    if batch_size != "auto" and count_of(batch_size) is None:
        raise UsageError(
            f"batch_size={batch_size!r} can't be used.",
            "It is a number of images, at least 1, or 'auto' for what fits.",
            "Write batch_size=8, for example.",
            fix_cli="Write --batch-size 8, for example.",
        )
    if exif not in ("apply", "ignore"):
        raise UsageError(
            f"exif={exif!r} can't be used.",
            "It is 'apply', to turn images upright, or 'ignore', to leave them as stored.",
            'Write exif="ignore", or leave it out.',
        )
    if threads is not None and count_of(threads, least=0) is None:
        raise UsageError(
            f"threads={threads!r} can't be used.",
            "It is a number of threads that read ahead, or 0 for none.",
            "Leave it out, or write threads=2, for example.",
        )


def _stream(
    runner: BatchRunner,
    window: Window,
    images: Generator[Read],
    on_failure: OnFailure | None,
    on_result: OnResult | None,
) -> Iterator[Detections]:
    try:
        yield from _detect_in_window(runner, window, images, on_failure, on_result)
    finally:
        runner.release()


def _detect_in_window(
    runner: BatchRunner,
    window: Window,
    images: Generator[Read],
    on_failure: OnFailure | None,
    on_result: OnResult | None,
) -> Iterator[Detections]:
    source_error: Exception | None = None
    partly_read = PartlyRead()
    with closing(images):
        for image in images:
            if isinstance(image, Broken):
                source_error = image.error
                break
            is_entered = _enter(window, runner, image, partly_read)
            del image  # the window holds it, and releases it once it has run
            if not is_entered and on_failure is None:
                break
            for slots in window.due():
                _run_batch(runner, window, slots, on_result)
            yield from _results_or_raise(window, on_failure)
            if window.is_cut:
                break
    for slots in window.due(rest=True):
        _run_batch(runner, window, slots, on_result)
        yield from _results_or_raise(window, on_failure)
    partly_read.sum_up()
    yield from _results_or_raise(window, on_failure)
    if source_error:
        raise source_error


def _enter(
    window: Window, runner: BatchRunner, image: Image | ImageError, partly_read: PartlyRead
) -> bool:
    """Puts an image into the window, or the error of reading it or of its size; returns whether it
    is an image."""
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


def _results_or_raise(window: Window, on_failure: OnFailure | None) -> Iterator[Detections]:
    for outcome in window.outcomes():
        if isinstance(outcome, Detections):
            yield outcome
        elif on_failure and isinstance(outcome, ImageError):
            on_failure(outcome)
        else:
            raise outcome


def _run_batch(
    runner: BatchRunner, window: Window, slots: list[Slot], on_result: OnResult | None
) -> None:
    """Runs one batch; every slot gets its outcome and releases its image.

    If memory runs out, or the family refuses an image, the batch is halved until the error is one
    image's; after running out of memory, later batches are smaller too. Any other error becomes the
    first image's, and nothing after it runs.
    """
    images = [slot.image for slot in slots if slot.image]
    outcome = _run(runner, images, partial(window.ran_out, slots))
    if isinstance(outcome, list):
        for slot, image, detections in zip(slots, images, outcome, strict=True):
            slot.image, slot.outcome = None, detections
            if on_result:
                on_result(image, detections)
    elif not isinstance(outcome, ImageError):
        slots[0].image, slots[0].outcome = None, outcome
        window.cut(slots[0])
    elif len(slots) == 1:
        slots[0].image, slots[0].outcome = None, outcome
    else:
        del images
        start, half = 0, (len(slots) + 1) // 2
        while start < len(slots) and not window.is_cut:
            count = min(half, window.max_batch(slots))
            _run_batch(runner, window, slots[start : start + count], on_result)
            start += count


def _run(
    runner: BatchRunner, images: list[Image], on_out_of_memory: Callable[[], None] | None = None
) -> list[Detections] | Exception:
    """Detections of a batch, or the error: an ImageError if it may be the fault of one image.

    on_out_of_memory: called if the memory did not hold several images.
    """
    try:
        return runner.run(images)
    except Exception as error:
        if not is_out_of_memory(error):
            return error
        runner.release()
        if on_out_of_memory and len(images) > 1:
            on_out_of_memory()
        # the traceback's frames hold memory
        return runner.too_large(images[0], error.with_traceback(None))


class PartlyRead:
    """Counts the losses of reading in one stream of images, and warns of them."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def note(self, image: Image) -> None:
        """Warns of what reading the image lost, if few images were named for it yet."""
        for loss in image.lost:
            self._counts[loss.kind] += 1
            if self._counts[loss.kind] <= MAX_IMAGES_NAMED:
                warnings.warn(f"Image '{image.source}': {loss.case}", ImageWarning, stacklevel=2)

    def sum_up(self) -> None:
        """Warns of the number of images that were not named."""
        for kind, count in self._counts.items():
            rest = count - MAX_IMAGES_NAMED
            if rest > 0:
                has = "has" if rest == 1 else "have"
                text = f"{pluralize(rest, 'more image')} {has} {_LOSSES[kind]}."
                warnings.warn(text, ImageWarning, stacklevel=2)
