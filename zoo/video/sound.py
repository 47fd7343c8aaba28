"""Copies the sound of a clip into another one, packet by packet, without decoding it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from zoo.extras import optional
from zoo.video.clip import Clip
from zoo.video.decode import MICROSECONDS, TIMEOUT_SECONDS, ffmpeg_address


class Sound:
    """The sound streams of a part of a clip.

    clip:   the source.
    output: PyAV's container to copy into, to which sound streams are added.
    start, end: of the part, in seconds of the clip; `start` becomes 0.
    left_out: codecs of the streams that the container can't hold.

    Raises: PyAV's FFmpegError if the clip can't be opened again.
    """

    def __init__(self, clip: Clip, output: Any, *, start: float, end: float) -> None:
        av = optional("av", wanted_for="The sound of a video", extra="video")
        self._errors = av.error.FFmpegError
        address, form = ffmpeg_address(clip.address or clip.source)
        self._input = av.open(
            address, format=form, options=dict(clip.options), timeout=TIMEOUT_SECONDS
        )
        self._output = output
        self._origin = Fraction(max(self._input.start_time or 0, 0), MICROSECONDS)
        self._start, self._end = start, end
        self._copies: dict[int, Any] = {}
        self.left_out: list[str] = []
        for stream in self._input.streams.audio:
            self._add(stream)
        if start > 0 and self._copies:
            target = int((Fraction(start) + self._origin) * MICROSECONDS)
            self._input.seek(target)
        self._packets = self._packets_to_copy()
        self._next: Any = None

    def copy_until(self, time: float) -> None:
        """Copies the sound before that second of the clip."""
        while (packet := self._next or next(self._packets, None)) is not None:
            self._next = packet
            if self._time(packet) >= time:
                return
            self._next = None
            self._write(packet)

    def close(self) -> None:
        """Closes the clip."""
        self._input.close()

    def _add(self, stream: Any) -> None:
        name = stream.codec_context.name if stream.codec_context else "unknown"
        held = self._output.supported_codecs
        if held and name not in held and stream.codec_context.codec.canonical_name not in held:
            self.left_out.append(name)
            return
        try:
            self._copies[stream.index] = self._output.add_stream_from_template(stream)
        except (self._errors, ValueError):
            self.left_out.append(name)

    def _packets_to_copy(self) -> Iterator[Any]:
        if not self._copies:
            return
        streams = [self._input.streams[index] for index in self._copies]
        try:
            for packet in self._input.demux(*streams):
                if packet.size and packet.pts is not None and self._is_heard(packet):
                    yield packet
        except self._errors:  # the end of a file that was cut
            return

    def _is_heard(self, packet: Any) -> bool:
        time = self._time(packet)
        length = float((packet.duration or 0) * packet.time_base)
        ends_inside = self._start <= 0 or time + length > self._start  # codecs begin before 0
        return ends_inside and time < self._end

    def _time(self, packet: Any) -> float:
        return float(packet.pts * packet.time_base - self._origin)

    def _write(self, packet: Any) -> None:
        shift = (Fraction(self._start) + self._origin) / packet.time_base
        packet.pts -= round(shift)
        packet.dts = packet.pts if packet.dts is None else packet.dts - round(shift)
        packet.stream = self._copies[packet.stream.index]
        self._output.mux(packet)
