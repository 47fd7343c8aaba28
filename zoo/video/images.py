"""Frames from images: a folder of them, a glob, or any iterable, with times of their own or at a
frame rate."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sized
from contextlib import closing
from numbers import Real
from os import PathLike

from zoo.errors import ImageError, UsageError
from zoo.images import Image, Limits, Source, expand, read
from zoo.inference.prefetch import Broken, prefetch
from zoo.video.clip import Clip, Decoded, Losses, Part, VideoWarning

RATE = 25.0  # frames a second of images that say no time
THREADS, AHEAD = 2, 4
SHOWN = 3  # images that are named, of those left out


class ImageSource:
    """Images as the frames of a clip, in their order.

    source: a folder or a glob of images, or an iterable of images in any form, or of pairs
        `(seconds, image)`.
    rate: frames a second, where they bring no times.

    Raises: UsageError for a rate that is none, ImageError for a folder or glob without an image.
    """

    def __init__(self, source: str | Iterable[object], part: Part, *, rate: float | None) -> None:
        if rate is not None and not (isinstance(rate, Real) and 0 < rate < 1e6):
            fix = "Write for example rate=25."
            case = "It is a number of frames a second, above 0."
            raise UsageError(f"rate={rate!r} can't be used.", case, fix, fix_cli="Write --rate 25.")
        self._rate = float(rate or RATE)
        self._part = part
        self._named = isinstance(source, str)
        images = expand(source)  # type: ignore[arg-type]  # pairs are taken apart below
        self._images = list(images) if self._named else images
        if self._images == [source]:  # nothing is in it: reading it says so
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
        """Nothing is held open between two frames."""

    def frames(self) -> Iterator[Decoded]:
        """The frames of the part, each with its time."""
        stamps: deque[tuple[int, float, bool]] = deque()
        wanted = self._wanted(stamps)
        threads = THREADS if self._named else 0
        limits = Limits.in_force()
        with closing(
            prefetch(wanted, exif="apply", threads=threads, ahead=AHEAD, limits=limits)
        ) as images:
            for image in images:
                if isinstance(image, Broken):
                    raise image.error
                index, time, is_file = stamps.popleft()
                if isinstance(image, Image):
                    yield Decoded(index, time, image.pixels, image.source if is_file else None)
                else:
                    self._leave_out(image)

    def _wanted(self, stamps: deque[tuple[int, float, bool]]) -> Iterator[Source]:
        """The images of the part; their numbers, times, and whether they are files, are put
        aside."""
        last = -1.0
        index = -1
        for position, item in enumerate(self._images):
            time, image = _timed(item, position / self._rate)
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
        if self.losses.counts["images"] <= SHOWN:
            warnings.warn(str(error), VideoWarning, stacklevel=2)


def _timed(item: object, time: float) -> tuple[float, Source]:
    """The time and the image of a pair, or of an image that has no time."""
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], Real):
        return float(item[0]), item[1]
    return time, item  # type: ignore[return-value]  # reading names what can't be an image


def _length(source: object) -> int | None:
    return len(source) if isinstance(source, Sized) else None
