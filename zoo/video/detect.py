"""`detect_video`: detects in the frames of a clip, camera or stream, in order, in constant
memory."""

from __future__ import annotations

import math
import warnings
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from copy import copy
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import PIL.Image
from torch import Tensor

from zoo.contract.protocol import Protocol
from zoo.detections import Detections
from zoo.draw import draw
from zoo.environment import cores
from zoo.errors import UsageError
from zoo.images import is_many
from zoo.images.read import is_glob, path_of
from zoo.inference.batch_limit import BatchSize
from zoo.inference.detect import check_options, stream
from zoo.printable import without_password
from zoo.text import type_name
from zoo.video.clip import Clip, Decoded, Losses, Part, VideoWarning
from zoo.video.decode import AvSource, scheme_of
from zoo.video.images import ImageSource
from zoo.video.reader import FrameSource, Reader
from zoo.video.track import Track as Track
from zoo.video.track import Tracks, tracks_in

if TYPE_CHECKING:
    import supervision

    from zoo.contract.predictor import Predictor

FEW_CORES = 2

VideoSource: TypeAlias = str | PathLike[str] | int | Iterable[Any]


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a clip with its detections.

    index:      its number, from 0; with `start`, 0 is the first frame from there on.
    time:       in seconds, by the clip's own timestamps; 0 is the beginning of the clip, or the
        first frame of a live source.
    image:      uint8 RGB `(3, h, w)`, upright.
    detections: in that image, best first; `source` is the clip, or the image's own file.
    tracks:     the id of each detection's track, None for one without a track; None without
        tracking.
    """

    index: int
    time: float
    image: Tensor
    detections: Detections
    tracks: Sequence[int | None] | None = None

    def draw(self, *, scores: bool = True, font: str | Path | None = None) -> PIL.Image.Image:
        """Draws the detections by `zoo.draw.draw`; with tracking, each track has its colour."""
        return draw(self.image, self.detections, scores=scores, font=font, tracks=self.tracks)

    def to_supervision(self) -> supervision.Detections:
        """Converts to `supervision.Detections`; `tracker_id` is -1 for a detection without a track.

        Raises: MissingExtra if supervision is not installed.
        """
        converted = self.detections.to_supervision()
        if self.tracks is not None:
            ids = [-1 if track is None else track for track in self.tracks]
            converted.tracker_id = np.array(ids, dtype=int)
        return converted

    def to_json(
        self, *, model: str | None = None, weights_sha256: str | None = None
    ) -> dict[str, object]:
        """A dict for `json.dump`: `file`, `frame`, `time`, `width`, `height`, `model`,
        `weights_sha256` and `detections`, each as in `Detections.to_json`, and with tracking its
        `track`."""
        document = self.detections.to_json()
        rows: list[dict[str, object]] = [dict(row) for row in document["detections"]]
        for row, track in zip(rows, self.tracks or (), strict=self.tracks is not None):
            row["track"] = track
        return {
            "file": document["file"],
            "frame": self.index,
            "time": round(self.time, 6),
            "width": document["width"],
            "height": document["height"],
            "model": model,
            "weights_sha256": weights_sha256,
            "detections": rows,
        }


class VideoStream(Iterator[Frame]):
    """Iterates over the frames; closing it, or dropping the last reference to it, ends the reading
    thread and closes the clip.

    clip:   facts about the source.
    losses: counts of what was lost so far.
    """

    def __init__(self, source: FrameSource, frames: Generator[Frame]) -> None:
        self.clip: Clip = source.clip
        self.losses: Losses = source.losses
        self._source = source
        self._frames = frames
        self._running = Lock()  # held while a frame is made
        self._is_closing = False

    def __next__(self) -> Frame:
        with self._running:
            frame = None if self._is_closing else next(self._frames)
        if self._is_closing or frame is None:
            self.close()
            raise StopIteration
        return frame

    def close(self) -> None:
        """Stops reading, and closes the clip. While another thread waits for a frame, that thread
        closes it once the frame is there, and its iteration ends."""
        self._is_closing = True
        if self._running.acquire(blocking=False):
            try:
                self._frames.close()
                self._source.close()
            finally:
                self._running.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def detect_video(  # noqa: PLR0913 - one parameter an option
    predictor: Predictor,
    source: VideoSource,
    *,
    score: float | None = 0.3,
    iou: float | None = None,
    max_boxes: int | None = None,
    batch_size: BatchSize = "auto",
    every: int = 1,
    start: float = 0.0,
    end: float | None = None,
    rate: float | None = None,
    live: bool | None = None,
    options: Mapping[str, str] | None = None,
    track: Track = False,
) -> VideoStream:
    """Detects in the frames of a video, one after the other, with any predictor.

    source:  a file, a URL (`rtsp://…`), the number of a camera, a folder or a glob of images, or an
             iterable of images or of pairs `(seconds, image)`. Messages and results show `***` in
             place of a password in a URL.
    score, iou, max_boxes: see `Protocol`; None keeps the family's own.
    batch_size: frames that go through the network at once; "auto" fits their size and the memory of
             the device, and is 1 for a live source, so that no frame waits for the next.
    every:   2 is every other frame, 3 one of three.
    start, end: in seconds; frames from `start` on, before `end`.
    rate:    frames per second of images without times; None is 25.
    live:    whether frames that come too fast are dropped, and counted in `losses`; None is True
             for cameras and for `rtsp:`, `rtmp:`, `udp:`, `rtp:`, `srt:` and `tcp:`.
    options: for FFmpeg, such as `{"rtsp_transport": "udp"}`.
    track:   whether objects get ids in `tracks` that they keep from frame to frame; or the name of
             a tracker: "bytetrack", "sort", "ocsort", "cbiou", "botsort", or a plugin's; or a
             function from the mean frame rate to a `zoo.video.Tracker`.

    PyAV decodes a clip, on a thread a few frames ahead if there is a core for it. Damaged packets
    or a file that was cut do not end the stream: `losses` counts them, and a VideoWarning at the
    end lists them. Memory does not grow with the length.

    Raises:
        VideoError: the source can't be opened, or no frame or image of it can be read.
        MissingExtra: PyAV or the trackers are not installed: pip install 'detzoo[video,track]'.
        UsageError, ContractError, ImageError: as `Detector.detect`.
    """
    protocol = Protocol(score=score, iou=iou, max_boxes=max_boxes)
    check_options(batch_size, "apply", None)
    part = Part(every=every, start=start, end=math.inf if end is None else end)
    opened = open_source(source, part, rate=rate, live=live, options=options)
    tracks = _tracks_in(opened, track, every)
    return detect_in(predictor, opened, protocol=protocol, batch_size=batch_size, tracks=tracks)


def detect_in(
    predictor: Predictor,
    source: FrameSource,
    *,
    protocol: Protocol,
    batch_size: BatchSize = "auto",
    tracks: Tracks | None = None,
) -> VideoStream:
    """Detects in the frames of a source that is open; `detect_video` explains the options."""
    if source.clip.live and batch_size == "auto":
        batch_size = 1
    return VideoStream(source, _frames(predictor, source, protocol, batch_size, tracks))


def _tracks_in(source: FrameSource, track: Track, every: int) -> Tracks | None:
    try:
        return tracks_in(source.clip, track, every=every)
    except BaseException:
        source.close()
        raise


def open_source(
    source: VideoSource,
    part: Part,
    *,
    rate: float | None = None,
    live: bool | None = None,
    options: Mapping[str, str] | None = None,
) -> FrameSource:
    """Opens a source of frames. Raises: VideoError; UsageError for an object without frames."""
    if isinstance(source, int) and not isinstance(source, bool) and source >= 0:
        return AvSource(str(source), part, live=live, options=options)
    if isinstance(source, str | PathLike):
        path = path_of(source)
        if Path(path).is_dir() or is_glob(path):
            return ImageSource(path, part, rate=rate)
        _check_no_rate(rate, path)
        return AvSource(path, part, live=live, options=options)
    if isinstance(source, np.ndarray | Tensor) and source.ndim == 4:
        return ImageSource(list(source), part, rate=rate)
    if is_many(source):  # type: ignore[arg-type]  # it may be a number, which is not
        return ImageSource(source, part, rate=rate)  # type: ignore[arg-type]
    raise UsageError(
        f"{type_name(source).capitalize()} was given as a video.",
        "It is neither a path, a URL nor the number of a camera, and has no frames in it.",
        "Pass the path of a clip, or a list of images.",
    )


def _check_no_rate(rate: float | None, path: str) -> None:
    """Raises: UsageError for a rate of a clip, whose frames have times of their own."""
    if rate is not None:
        raise UsageError(
            f"rate={rate:g} can't be used for the clip '{without_password(path)}'.",
            "Its frames have times of their own; a rate is for images, which have none.",
            "Leave rate out.",
            fix_cli="Leave --rate out.",
        )


def reads_ahead(clip: Clip, device: str) -> bool:
    """Whether a thread shall decode a clip ahead of a network on that kind of device.

    It pays if the source can be slow, or if the network leaves cores idle. On two cores, YOLOX-Nano
    by ONNX Runtime had 54 frames per second with it, and 60 without.
    """
    waits = clip.live or bool(scheme_of(clip.source))
    return waits or device != "cpu" or cores() > FEW_CORES


def _frames(
    predictor: Predictor,
    source: FrameSource,
    protocol: Protocol,
    batch_size: BatchSize,
    tracks: Tracks | None,
) -> Generator[Frame]:
    waiting: deque[Decoded] = deque()
    reader = None
    if isinstance(source, AvSource) and reads_ahead(source.clip, predictor.device.type):
        reader = Reader(source, newest=batch_size if batch_size != "auto" else 1)
    try:
        frames = reader.frames() if reader else source.frames()
        images = _images_of(frames, waiting)
        with closing(
            stream(predictor, images, protocol=protocol, batch_size=batch_size, threads=0)  # type: ignore[type-var]
        ) as results:
            for detections in results:
                frame = waiting.popleft()
                result = copy(detections)  # which skips the checks of a new instance
                vars(result).update(source=frame.file or source.clip.source)
                ids = tracks.follow(result, image=frame.image, time=frame.time) if tracks else None
                yield Frame(frame.index, frame.time, frame.image, result, ids)
        if source.losses.damage:
            text = f"Video '{source.clip.source}': {source.losses}"
            warnings.warn(text, VideoWarning, stacklevel=2)
    finally:
        if reader:
            reader.close()
        else:
            source.close()


def _images_of(frames: Iterable[Decoded], waiting: deque[Decoded]) -> Iterator[Tensor]:
    """Yields the images of the frames, and puts the frames into `waiting` until their detections
    are there."""
    for frame in frames:
        waiting.append(frame)
        yield frame.image
