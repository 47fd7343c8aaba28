"""Decodes clips, cameras and streams with PyAV: yields frames in order, upright, with their times;
counts damaged parts, and yields the rest."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from zoo.environment import offline_switch
from zoo.errors import OfflineError, VideoError
from zoo.extras import optional
from zoo.images import Limits
from zoo.printable import without_password
from zoo.video.clip import TICK, Clip, Decoded, Losses, Part, unreadable
from zoo.video.upright import planes_of

TIMEOUT_SECONDS = 10.0  # without a byte from a server or camera
TIMEOUT_MESSAGE = "Immediate exit requested"  # of FFmpeg
MICROSECONDS = 1_000_000
MARGIN_SECONDS = 10.0  # to seek earlier if the first seek ends after the start
THREADED_PIXELS = 1280 * 720  # larger frames are decoded by several threads
MAX_DAMAGED_PACKETS = 100  # in a row, after which reading stops
CAMERAS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
LIVE_SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "udp", "rtp", "srt", "tcp")
RTSP_SCHEMES = ("rtsp", "rtsps")
SCHEMES = (*LIVE_SCHEMES, "http", "https")


class AvSource:
    """A clip, camera or stream that PyAV decodes.

    address: a path, the number of a camera, or a URL.
    live:    whether its frames come in real time; None derives it from the address.
    options: for FFmpeg, as `{"rtsp_transport": "udp"}`.

    Raises: VideoError if it can't be opened or has no images in it; MissingExtra without PyAV.
    """

    def __init__(
        self,
        address: str,
        part: Part,
        *,
        live: bool | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self._av = optional("av", wanted_for="Frames of a video", extra="video")
        self._address = address
        self._name = without_password(address)
        self._part = part
        self.losses = Losses()
        self._reading_thread: threading.Thread | None = None
        self._packets = 0
        self._options = dict(options or {})
        self._container = self._open(address, self._options)
        try:
            self._stream = self._choose_stream()
            self.clip = self._facts(is_live(address) if live is None else live)
        except BaseException:
            self._container.close()
            raise
        self._origin: Fraction | None = None
        if not self.clip.live:
            start = max(self._container.start_time or 0, 0)
            self._origin = Fraction(start, MICROSECONDS)
        self._last: float | None = None
        self._has_skipped = False
        self._shift = 0.0
        self._most_pixels = Limits.in_force().most_pixels

    def close(self) -> None:
        """Closes the file or connection, unless another thread reads from it, which must close
        it."""
        thread = self._reading_thread
        if thread is None or thread is threading.current_thread() or not thread.is_alive():
            self._container.close()  # during another thread's read, FFmpeg would crash

    def frames(self) -> Iterator[Decoded]:
        """The frames of the part, in display order."""
        self._reading_thread = threading.current_thread()
        try:
            yield from self._frames_of_part()
        finally:
            self._reading_thread = None

    def _frames_of_part(self) -> Iterator[Decoded]:
        index = -1
        for frame, time in self._from_start():
            if time >= self._part.end:
                return
            if time < self._part.start - self.clip.period / 100:
                continue
            index += 1
            if index % self._part.every == 0:
                self._check_size(frame)
                yield Decoded(index, time, planes_of(frame))
        self._note_end()

    def _open(self, address: str, options: dict[str, str]) -> Any:
        url, form = ffmpeg_address(address)
        if form is None and scheme_of(address) and (switch := offline_switch()):
            raise OfflineError(
                f"Video '{self._name}' can't be read.",
                f"{switch} says that no socket may be opened.",
                f"Pass a file, or unset it: unset {switch}",
            )
        if scheme_of(address) in RTSP_SCHEMES:
            options = {"rtsp_flags": "prefer_tcp"} | options  # UDP loses packets
        # FFmpeg waits twice for a silent server, because it first returns a packet that it held.
        waits = TIMEOUT_SECONDS / 2 if scheme_of(address) in RTSP_SCHEMES else TIMEOUT_SECONDS
        try:
            return self._av.open(
                url, format=form, options=options, timeout=(TIMEOUT_SECONDS, waits)
            )
        except self._av.error.FFmpegError as error:
            # FFmpeg's own error shows the address with its password.
            raise open_error(address, error) from (error if self._name == address else None)

    def _choose_stream(self) -> Any:
        streams = [
            stream
            for stream in self._container.streams.video
            if not stream.disposition & self._av.stream.Disposition.attached_pic
        ]
        if not streams:
            case = "There is sound in it, and no images." if self._has_sound() else "It is empty."
            raise unreadable(self._name, case, "Pass a clip with images.")
        stream = streams[0]
        if stream.codec_context is None:
            case = "This build of FFmpeg has no decoder for it."
            raise unreadable(self._name, case, "Convert it to H.264, or install another PyAV.")
        pixels = (stream.codec_context.width or 0) * (stream.codec_context.height or 0)
        stream.thread_type = "AUTO" if pixels >= THREADED_PIXELS else "NONE"
        return stream

    def _has_sound(self) -> bool:
        return bool(self._container.streams.audio)

    def _facts(self, live: bool) -> Clip:
        stream = self._stream
        rate = stream.average_rate or stream.guessed_rate
        return Clip(
            source=self._name,
            address=self._address,
            rate=float(rate) if rate else None,
            frames=(stream.frames or None) if not live else None,
            duration=None if live else self._duration(),
            live=live,
            sound=self._has_sound() and not live,
            time_base=stream.time_base or TICK,
            aspect=stream.sample_aspect_ratio or Fraction(1),
            options=self._options,
        )

    def _from_start(self) -> Iterator[tuple[Any, float]]:
        """Frames and their times, from the last place before the start at which decoding can begin.
        In formats without an index, the first seek may go too far."""
        start = self._part.start
        if start > 0 and not self.clip.live:
            for margin in (0.0, MARGIN_SECONDS):
                self._has_skipped = self._seek(max(start - margin, 0.0))
                frames = self._with_times()
                first = next(frames, None)
                if first and first[1] <= start + self.clip.period:
                    yield first
                    yield from frames
                    return
                self._last, self._shift = None, 0.0
            self._has_skipped = not self._seek(0.0)
        yield from self._with_times()

    def _with_times(self) -> Iterator[tuple[Any, float]]:
        for frame in self._decode():
            yield frame, self._time_of(frame)

    def _seek(self, time: float) -> bool:
        """Seeks the last place before that time at which decoding can begin; returns whether that
        worked."""
        target = int((Fraction(time) + (self._origin or 0)) * MICROSECONDS)
        self._packets = 0
        try:
            self._container.seek(target)
        except self._av.error.FFmpegError:  # the position is then unchanged
            return False
        return True

    def _decode(self) -> Iterator[Any]:
        count = failures_in_a_row = 0
        for packet in self._packets_of_stream():
            try:
                frames = packet.decode()
            except self._av.error.FFmpegError as error:
                self.losses.add("packets", int(packet.size > 0))
                failures_in_a_row += 1
                if failures_in_a_row == MAX_DAMAGED_PACKETS and not count:
                    raise self._decode_error(error) from error
                continue
            self.losses.add("packets", int(packet.is_corrupt))  # the rest of it was decoded
            for frame in frames:
                count += 1
                failures_in_a_row = 0
                self.losses.add("frames", int(frame.is_corrupt))
                yield frame
        if not count:
            raise self._decode_error(None)

    def _packets_of_stream(self) -> Iterator[Any]:
        """The packets, then an empty one, at which the decoder returns its last frames."""
        failures = 0
        while failures < MAX_DAMAGED_PACKETS:
            try:
                for packet in self._container.demux(self._stream):
                    self._packets += bool(packet.size)
                    failures = 0
                    yield packet
                return
            except self._av.error.InvalidDataError:
                self.losses.add("packets")
                failures += 1
            except self._av.error.FFmpegError as error:
                self.losses.cut = f"It was cut: {reason_of(error)}."
                break
        last = self._av.Packet(0)
        last.stream, last.time_base = self._stream, self._stream.time_base
        yield last

    def _time_of(self, frame: Any) -> float:
        """Seconds from the beginning of the clip, always later than the frame before."""
        stamp = frame.pts if frame.pts is not None else frame.dts
        if stamp is None:
            time = None
        else:
            exact = stamp * frame.time_base
            if self._origin is None:  # the first frames of RTSP have no times
                start = 0.0 if self._last is None else self._last + self.clip.period
                self._origin = exact - Fraction(start)
            time = float(exact - self._origin) + self._shift
        if self._last is None:
            self._last = 0.0 if time is None else time
        elif time is not None and time > self._last:
            self._last = time
        else:
            self.losses.add("times")
            expected = self._last + self.clip.period
            self._shift += 0.0 if time is None else expected - time
            self._last = expected
        return self._last

    def _check_size(self, frame: Any) -> None:
        if frame.width * frame.height > self._most_pixels:
            case = f"Its frames have {frame.width} x {frame.height} pixels."
            fix = "If you trust it, raise the limit: ZOO_IMAGE_PIXELS=400M"
            raise unreadable(self._name, case, fix)

    def _duration(self) -> float | None:
        """Seconds from the first frame on, if the container has its duration."""
        length = self._container.duration
        if not length:
            return None
        if self._container.format.name.startswith("matroska"):  # counts from 0, not from its start
            length -= max(self._container.start_time or 0, 0)
        return float(length / MICROSECONDS)

    def _note_end(self) -> None:
        """Records that the clip ended early, if it did."""
        clip, losses = self.clip, self.losses
        if losses.cut:
            return
        if clip.live:
            if scheme_of(clip.source) in RTSP_SCHEMES and self._has_hung_up():
                losses.cut = "It was cut: the server hung up."
            return
        if clip.frames and not self._has_skipped:
            if self._packets < clip.frames:
                losses.cut = f"It ends after {self._packets:,} of {clip.frames:,} frames."
            return
        if clip.duration and self._last is not None:
            end = self._last + clip.period
            if clip.duration - end > max(1.0, 0.02 * clip.duration):
                losses.cut = f"It ends after {end:.1f} of {clip.duration:.1f} seconds."

    def _has_hung_up(self) -> bool:
        """Whether an RTSP server closed the connection unexpectedly; a running one would answer,
        if only with a refusal."""
        refusals = self._av.error.HTTPClientError, self._av.error.HTTPServerError
        try:
            self._container.seek(0)
        except refusals:
            return False
        except self._av.error.FFmpegError:
            return True
        return False

    def _decode_error(self, error: Exception | None) -> VideoError:
        case = (
            f"No frame of it can be decoded: {reason_of(error)}." if error else "It has no frames."
        )
        return unreadable(self._name, case, "Copy or download it again, or convert it to H.264.")


def ffmpeg_address(address: str) -> tuple[str, str | None]:
    """FFmpeg's address of a path, camera or URL, and the format to open it with."""
    camera = camera_of(address)
    if camera is not None:
        form = CAMERAS.get(sys.platform, "v4l2")
        return {"v4l2": f"/dev/video{camera}", "dshow": f"video={camera}"}.get(form, camera), form
    if address.startswith("/dev/video"):
        return address, "v4l2"
    if scheme_of(address):
        return address, None
    return f"file:{address}", None  # else FFmpeg would read a colon in a name as a protocol


def camera_of(address: str) -> str | None:
    """The camera's number if the address is one, and no file has that name; else None."""
    return address if address.isdecimal() and not os.path.lexists(address) else None


def scheme_of(address: str) -> str:
    """The scheme of a URL that FFmpeg may open; empty for a path."""
    scheme, separator, _ = address.partition("://")
    return scheme.lower() if separator and scheme.lower() in SCHEMES else ""


def is_live(address: str) -> bool:
    """Whether frames come from that address in real time."""
    camera = camera_of(address) is not None or address.startswith("/dev/video")
    return camera or scheme_of(address) in LIVE_SCHEMES


def reason_of(error: Exception) -> str:
    """The reason in an error of FFmpeg."""
    text = getattr(error, "strerror", None) or str(error)
    if text == TIMEOUT_MESSAGE:
        return f"nothing came for {TIMEOUT_SECONDS:g} seconds"
    return " ".join(str(text).split()).rstrip(".")


def open_error(address: str, error: Exception) -> VideoError:
    """The error for an address that FFmpeg can't open."""
    name = without_password(address)
    if camera_of(address) is not None or address.startswith("/dev/video"):
        case = f"Camera {address} can't be opened: {reason_of(error)}."
        return unreadable(address, case, "Plug it in, check who may read it, or pass a clip.")
    if scheme_of(address):
        case = f"No usable answer came: {reason_of(error)}."
        return unreadable(name, case, "Check the address in a player, such as ffplay or VLC.")
    path = Path(address)
    if not path.exists():
        where = "" if path.is_absolute() else f"; it was looked for from {Path.cwd()}"
        return unreadable(name, "There is no such file.", f"Check the path{where}.")
    if not os.access(path, os.R_OK):
        return unreadable(
            address, f"It can't be opened: {reason_of(error)}.", "Check who may read it."
        )
    if not path.stat().st_size:
        return unreadable(address, "It is empty.", "Copy or download it again.")
    case = f"It is not a video that FFmpeg knows, or cut short: {reason_of(error)}."
    return unreadable(address, case, "Copy or download it again, or convert it to H.264.")
