"""Clip, Part and Losses: facts about a clip, the part of it to process, and counts of what was
lost."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from torch import Tensor

from zoo.counts import count_of
from zoo.errors import UsageError, VideoError
from zoo.images import ImageWarning
from zoo.text import pluralize

# Seconds per tick of timestamps if a source has none; it is close to a multiple of all frame rates.
TICK = Fraction(1, 90_000)
KINDS = {
    "packets": ("packet is damaged or incomplete", "packets are damaged or incomplete"),
    "frames": ("frame is damaged in part", "frames are damaged in part"),
    "images": ("image can't be read and was left out", "images can't be read and were left out"),
    "times": ("time was missing or went back", "times were missing or went back"),
    "late": ("frame came too fast and was dropped", "frames came too fast and were dropped"),
}


class VideoWarning(ImageWarning):
    """A part of a clip was lost; the rest was processed."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """A frame before detection.

    index: its number, from 0.
    time:  in seconds.
    image: uint8 RGB `(3, h, w)`, upright.
    file:  the path or URL of the image, if frames are files.
    """

    index: int
    time: float
    image: Tensor
    file: str | None = None


@dataclass(frozen=True, kw_only=True)
class Part:
    """The frames to process: one of `every`, from `start` on and before `end`, in seconds.

    Raises: UsageError for values out of range.
    """

    every: int = 1
    start: float = 0.0
    end: float = math.inf

    def __post_init__(self) -> None:
        if count_of(self.every) is None:
            case = "It is a number of frames, at least 1: 1 is all of them, 2 every other one."
            raise _wrong_part(f"every={self.every!r}", case, "every=2", "--every 2")
        for name in ("start", "end"):
            seconds = getattr(self, name)
            if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
                case = "It is a time of the clip in seconds, at least 0."
                raise _wrong_part(f"{name}={seconds!r}", case, f"{name}=12.5", "--from 12.5")
        if not self.start < self.end:  # NaN fails as well
            case = "Nothing lies between them."
            option = f"start={self.start!r}, end={self.end!r}"
            raise _wrong_part(option, case, "start=10, end=20", "--from 10 --to 20")


def _wrong_part(failure: str, case: str, example: str, shell: str) -> UsageError:
    fix = f"Write for example {example}."
    return UsageError(f"{failure} can't be used.", case, fix, fix_cli=f"Write for example {shell}.")


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Facts about a source of frames; None is unknown.

    source:    its name in messages and results, with `***` in place of a password.
    rate:      frames per second, on average.
    frames:    their total number.
    duration:  in seconds.
    live:      whether frames come in real time, and not on request.
    sound:     whether it has sound that a saved clip can copy; False for a live source.
    time_base: seconds per tick of its timestamps.
    aspect:    width of a pixel relative to its height.
    options:   with which FFmpeg opened it.
    address:   opens it again, with its password, which is never shown; empty is `source`.
    """

    source: str
    rate: float | None = None
    frames: int | None = None
    duration: float | None = None
    live: bool = False
    sound: bool = False
    time_base: Fraction = TICK
    aspect: Fraction = Fraction(1)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)  # headers may be secret
    address: str = field(default="", repr=False)

    @property
    def period(self) -> float:
        """Seconds from a frame to the next, on average."""
        return 1 / self.rate if self.rate else 1 / 25

    def expected_frames(self, part: Part) -> int | None:
        """The approximate number of frames of a part; None if it is unknown."""
        is_all = part.start == 0 and part.end == math.inf
        count = float(self.frames or 0)
        if self.rate and (self.duration or part.end < math.inf) and not (is_all and count):
            seconds = min(part.end, self.duration or math.inf) - part.start
            count = max(seconds, 0) * self.rate
        return math.ceil(count / part.every) if count and not self.live else None


@dataclass
class Losses:
    """Counts what was lost of one clip, by kind.

    cut: a sentence on where and why the clip ended early; empty if it did not.
    """

    counts: Counter[str] = field(default_factory=Counter)
    cut: str = ""

    def add(self, kind: str, count: int = 1) -> None:
        """Adds to the count of a kind of `KINDS`."""
        self.counts[kind] += count

    @property
    def damage(self) -> bool:
        """Whether anything is damaged or missing, apart from frames that came too fast."""
        return bool(self.cut) or any(self.counts[kind] for kind in KINDS if kind != "late")

    def __str__(self) -> str:
        phrases = [
            pluralize(self.counts[kind], *forms)
            for kind, forms in KINDS.items()
            if self.counts[kind]
        ]
        counted = f"{', '.join(phrases)}." if phrases else ""
        return " ".join(part for part in (counted, self.cut) if part)


def unreadable(source: str, case: str, fix: str) -> VideoError:
    """The error for a clip that can't be read."""
    return VideoError(f"Video '{source}' can't be read.", case, fix, file=source)
