"""Saves a clip that plays everywhere: H.264 or VP9 with the times of the frames, and the original
sound, copied without decoding."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from zoo.draw import Image
from zoo.draw.image import to_pil
from zoo.errors import VideoError
from zoo.extras import optional
from zoo.files import atomic_write, write_errors
from zoo.video.clip import Clip, VideoWarning
from zoo.video.decode import reason_of
from zoo.video.sound import Sound

# Suffix -> container, and its encoders by preference.
FORMATS: dict[str, tuple[str, tuple[str, ...]]] = {
    ".mp4": ("mp4", ("libx264", "libopenh264", "h264")),
    ".m4v": ("mp4", ("libx264", "libopenh264", "h264")),
    ".mov": ("mov", ("libx264", "libopenh264", "h264")),
    ".mkv": ("matroska", ("libx264", "libopenh264", "h264")),
    ".webm": ("webm", ("libvpx-vp9",)),
}
OPTIONS: dict[str, dict[str, str]] = {
    "libx264": {"preset": "veryfast", "crf": "20"},
    "libvpx-vp9": {"crf": "30", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"},
}
# Puts the index before the frames, so that a browser can play a clip that is still loading.
CONTAINER_OPTIONS = {"mp4": {"movflags": "+faststart"}, "mov": {"movflags": "+faststart"}}
BT709 = 1  # the usual colour space, by its number in ITU-T H.273
MIN_TICK = Fraction(1, 1_000_000)


class ClipWriter:
    """Writes a clip frame by frame; use it as a context manager.

    The file appears when the block ends without an error, or is interrupted: then with the frames
    so far.

    path:  its suffix chooses the format: `.mp4`, `.m4v`, `.mov`, `.mkv` or `.webm`.
    clip:  the source of the frames, whose sound is copied; None copies none.
    start, end: the part of it that is saved, in seconds; `start` is 0 in the new clip.
    sound: whether to copy the sound.

    Raises: VideoError for another suffix, or a path that can't be written; MissingExtra without
        PyAV.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        clip: Clip | None = None,
        start: float = 0.0,
        end: float = math.inf,
        sound: bool = True,
    ) -> None:
        self.path = Path(path)
        self.frames = 0
        self._av = optional("av", wanted_for="Saving a video", extra="video")
        self._clip = clip or Clip(source="frames")
        self._part = start, end
        self._container_name, self._encoder = self._choose_format()
        self._wants_sound = sound and self._clip.sound
        self._stack = ExitStack()
        self._output: Any = None
        self._stream: Any = None
        self._sound: Sound | None = None
        self._size = (0, 0)
        self._base = start
        self._tick = max(self._clip.time_base, MIN_TICK)
        self._last = -1
        self._done = False

    def __enter__(self) -> Self:
        self._check_folder()
        with self._explain_errors():
            self._draft = self._stack.enter_context(atomic_write(self.path.resolve()))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None or issubclass(kind, KeyboardInterrupt):
            self.close(is_complete=kind is None)
        else:
            self._abandon()
            self._stack.__exit__(kind, error, trace)

    def write(self, image: Image, time: float) -> None:
        """Adds a frame, which is shown from that second of the clip on; a frame of another size
        than the first is resized to fit into it."""
        pixels = _even(to_pil(image))
        with self._explain_errors():
            if self._output is None:
                self._open(pixels, time)
            frame = self._av.VideoFrame.from_ndarray(_fit(pixels, self._size), format="rgb24")
            frame = frame.reformat(
                format="yuv420p", dst_colorspace=BT709, dst_color_range=1, src_color_range=2
            )
            frame.colorspace, frame.color_range = BT709, 1
            frame.pts = max(
                round((Fraction(time) - Fraction(self._base)) / self._tick), self._last + 1
            )
            frame.time_base = self._tick
            frame.duration = max(round(Fraction(self._clip.period) / self._tick), 1)
            self._last = frame.pts
            if self._sound:
                self._sound.copy_until(time)
            self._output.mux(self._stream.encode(frame))
        self.frames += 1

    def close(self, *, is_complete: bool = True) -> None:
        """Finishes the file and moves it to its path; without frames, no file is written.

        is_complete: whether all frames of the part were written; else the sound ends with the
            last one.
        """
        if self._done:
            return
        self._done = True
        if self._output is None:
            error = self._error("There was no frame to save.", "Save another part of the clip.")
            self._stack.__exit__(type(error), error, None)
            if is_complete:
                raise error
            return
        with self._explain_errors():
            self._output.mux(self._stream.encode(None))
            if self._sound:
                last = self._base + float(self._last * self._tick) + self._clip.period
                self._sound.copy_until(self._part[1] if is_complete else last)
                self._sound.close()
            self._output.close()
            self._output = None
            self._stack.close()

    def _abandon(self) -> None:
        if self._sound:
            self._sound.close()
        if self._output is not None:
            with suppress(self._av.error.FFmpegError):  # another error is already being raised
                self._output.close()
        self._output = None

    def _open(self, pixels: NDArray[np.uint8], time: float) -> None:
        height, width = pixels.shape[:2]
        self._size = height, width
        if self._clip.live or self._base > time:
            self._base = time
        options = CONTAINER_OPTIONS.get(self._container_name, {})
        self._output = self._av.open(
            str(self._draft), "w", format=self._container_name, options=options
        )
        rate = Fraction(self._clip.rate or 25).limit_denominator(1001)
        stream = self._output.add_stream(self._encoder, rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.time_base = self._tick
        context.options = OPTIONS.get(self._encoder, {})
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = 1
        context.sample_aspect_ratio = self._clip.aspect
        self._stream = stream
        if self._wants_sound:
            self._add_sound()

    def _add_sound(self) -> None:
        """Opens the clip again for its sound, and warns of sound that can't be copied."""
        start, end = self._base, self._part[1]
        try:
            self._sound = Sound(self._clip, self._output, start=start, end=end)
        except (self._av.error.FFmpegError, OSError) as error:
            text = (
                f"Video '{self.path}' has no sound: it can't be read. FFmpeg says: "
                f"{reason_of(error)}."
            )
            warnings.warn(text, VideoWarning, stacklevel=4)
            return
        if self._sound.left_out:
            codecs = " and ".join(self._sound.left_out)
            text = (
                f"Video '{self.path}': {self.path.suffix} can't hold sound of the codec "
                f"{codecs}, and is without it. Save it as .mkv to keep it."
            )
            warnings.warn(text, VideoWarning, stacklevel=4)

    def _choose_format(self) -> tuple[str, str]:
        format_ = FORMATS.get(self.path.suffix.lower())
        if format_ is None:
            case = f"No video format has the suffix '{self.path.suffix}'."
            raise self._error(case, f"End the name in {', '.join(FORMATS)}.")
        name, encoders = format_
        for encoder in encoders:
            if encoder in self._av.codecs_available and _encodes(self._av, encoder):
                return name, encoder
        case = f"This build of PyAV has none of the encoders {', '.join(encoders)}."
        raise self._error(case, "Save it as .webm, or install PyAV from PyPI: pip install av")

    def _check_folder(self) -> None:
        folder = self.path.parent
        if folder.exists() and not folder.is_dir():
            raise self._error(f"'{folder}' is not a folder.", "Name another file.")
        if not folder.exists():
            raise self._error(
                f"There is no folder '{folder}'.", f"Make it first: mkdir -p {folder}"
            )

    def _error(self, case: str, fix: str) -> VideoError:
        return VideoError(_failure(self.path), case, fix, file=str(self.path))

    @contextmanager
    def _explain_errors(self) -> Iterator[None]:
        """Turns errors of the disk and of FFmpeg into a VideoError."""
        kind = partial(VideoError, file=str(self.path))
        fix = "Name another file, or free this one."
        with write_errors(self.path, kind, fix=fix, failure=_failure(self.path)):
            try:
                yield
            except self._av.error.FFmpegError as error:
                if isinstance(error, OSError):
                    raise
                size = " x ".join(map(str, reversed(self._size)))
                case = (
                    f"FFmpeg says: {reason_of(error)}. "
                    f"The encoder {self._encoder} was given {size} pixels."
                )
                fix = "Save it in another format, as .webm or .mp4, or frames of another size."
                raise self._error(case, fix) from error


def _failure(path: Path) -> str:
    return f"The video can't be saved as '{path}'."


def _encodes(av: Any, name: str) -> bool:
    try:
        return bool(av.Codec(name, "w").is_encoder)
    except av.codec.codec.UnknownCodecError:
        return False


def _even(image: PIL.Image.Image) -> NDArray[np.uint8]:
    """The pixels with even height and width, as halved colours need: the last row or column is
    repeated."""
    pixels = np.asarray(image)
    height, width = pixels.shape[:2]
    if height % 2 or width % 2:
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return pixels


def _fit(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The pixels resized to fit into an image of that height and width, in its middle."""
    if pixels.shape[:2] == size:
        return np.ascontiguousarray(pixels)
    height, width = size
    scale = min(height / pixels.shape[0], width / pixels.shape[1])
    tall, wide = (max(1, round(side * scale)) for side in pixels.shape[:2])
    result = np.zeros((height, width, 3), np.uint8)
    top, left = (height - tall) // 2, (width - wide) // 2
    small = PIL.Image.fromarray(pixels).resize((wide, tall), PIL.Image.Resampling.BILINEAR)
    result[top : top + tall, left : left + wide] = np.asarray(small)
    return result
