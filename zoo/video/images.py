"""ImageSource: images of a folder, a glob or an iterable as frames, with their own times or at a
frame rate."""

from __future__ import annotations

import math
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sized
from contextlib import closing
from decimal import Decimal
from numbers import Real
from os import PathLike

import numpy as np
from torch import Tensor

from zoo.errors import ImageError, UsageError, VideoError
from zoo.images import Image, Limits, Source, expand, read
from zoo.inference.prefetch import Broken, prefetch
from zoo.video.clip import Clip, Decoded, Losses, Part, VideoWarning, unreadable

DEFAULT_RATE = 25.0  # frames per second
THREADS, AHEAD = 2, 4
MAX_WARNINGS = 3  # of images that are left out


class ImageSource:
    """Images as the frames of a clip, in their order.

    source: a folder or a glob of images, or an iterable of images in any form, or of pairs
        `(seconds, image)`, as tuples or lists.
    rate: frames per second of images without times.

    Raises: UsageError for an invalid rate, ImageError for a folder or glob without an image.
    """

    def __init__(self, source: str | Iterable[object], part: Part, *, rate: float | None) -> None:
        if rate is not None and not (isinstance(rate, Real) and 0 < rate < 1e6):
            fix = "Write for example rate=25."
            case = "It is a number of frames per second, above 0."
            raise UsageError(f"rate={rate!r} can't be used.", case, fix, fix_cli="Write --rate 25.")
        self._rate = float(rate or DEFAULT_RATE)
        self._part = part
        self._is_path = isinstance(source, str)
        images = expand(source)  # type: ignore[arg-type]  # pairs are taken apart below
        self._images = list(images) if self._is_path else images
        if self._images == [source]:  # it has no images, and reading it raises the error
            read(source)  # type: ignore[arg-type]
        count = len(self._images) if isinstance(self._images, list) else _length(source)
        self.clip = Clip(
            source=source if isinstance(source, str) else "frames",
            rate=self._rate,
            frames=count,
            duration=count / self._rate if count else None,
        )
        self.losses = Losses()

    def close(self) -> None:
        """Does nothing: no file is open between two frames."""

    def frames(self) -> Iterator[Decoded]:
        """The frames of the part, each with its time.

        Raises: VideoError if none of its images can be read; UsageError for an invalid time.
        """
        first: ImageError | None = None
        frames = 0
        stamps: deque[tuple[int, float, bool]] = deque()
        sources = self._images_of_part(stamps)
        threads = THREADS if self._is_path else 0
        limits = Limits.in_force()
        with closing(
            prefetch(sources, exif="apply", threads=threads, ahead=AHEAD, limits=limits)
        ) as images:
            for image in images:
                if isinstance(image, Broken):
                    raise image.error
                index, time, is_file = stamps.popleft()
                if isinstance(image, Image):
                    frames += 1
                    yield Decoded(index, time, image.pixels, image.source if is_file else None)
                else:
                    first = first or image
                    self._leave_out(image)
        if first and not frames:
            raise self._empty(first) from first

    def _images_of_part(self, stamps: deque[tuple[int, float, bool]]) -> Iterator[Source]:
        """Yields the images of the part, and appends number, time and whether it is a file of each
        to `stamps`."""
        last = -1.0
        index = -1
        for position, item in enumerate(self._images):
            time, image = _time_and_image(item, position, self._rate)
            if time <= last:
                self.losses.add("times")
                time = last + 1 / self._rate
            last = time
            if time >= self._part.end:
                return
            if time < self._part.start:
                continue
            index += 1
            if index % self._part.every == 0:
                stamps.append((index, time, isinstance(image, str | PathLike)))
                yield image

    def _leave_out(self, error: ImageError) -> None:
        self.losses.add("images")
        if self.losses.counts["images"] <= MAX_WARNINGS:
            warnings.warn(str(error), VideoWarning, stacklevel=2)

    def _empty(self, first: ImageError) -> VideoError:
        count = self.losses.counts["images"]
        which = f"None of its {count:,} images can" if count > 1 else "Its image can't"
        case = f"{which} be read. {first.failure} {first.case}"
        return unreadable(self.clip.source, case, first.fix)


def _time_and_image(item: object, position: int, rate: float) -> tuple[float, Source]:
    """The time and the image of an item, which is a pair or an image without a time."""
    if not (isinstance(item, tuple | list) and len(item) == 2 and _is_number(item[0])):
        return position / rate, item  # type: ignore[return-value]  # reading names other things
    time = float(item[0])
    if not 0 <= time < math.inf:  # NaN fails as well
        case = "A time is a number of seconds, at least 0."
        fix = "Pass pairs such as (12.5, image), or images alone and rate=25."
        raise UsageError(f"Image {position} was given the time {time:g}.", case, fix)
    return time, item[1]


def _is_number(value: object) -> bool:
    """Whether a value is one real number: of Python, of NumPy, or a tensor without dimensions."""
    if isinstance(value, Tensor | np.ndarray):
        return value.ndim == 0
    return isinstance(value, Real | Decimal)


def _length(source: object) -> int | None:
    return len(source) if isinstance(source, Sized) else None
