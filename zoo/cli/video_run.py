"""Runs `zoo video`: writes results and an annotated clip while frames come, and prints a
summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from zoo.cli import gallery, interrupt, output, stderr
from zoo.cli.detect_run import ModelRequest, load_or_default
from zoo.cli.outputs import check_distinct, check_font
from zoo.cli.results import STANDARD_OUTPUT, json_list
from zoo.detectors.detector import BasePredictor
from zoo.errors import UsageError, VideoError
from zoo.gallery import Collection
from zoo.images.read import path_of
from zoo.printable import without_password
from zoo.progress import Bar
from zoo.text import pluralize
from zoo.video import ClipWriter, Frame, VideoStream
from zoo.video.clip import Clip, Part
from zoo.video.detect import detect_in, open_source
from zoo.video.reader import FrameSource
from zoo.video.track import tracks_in

MAX_CLASSES_SHOWN = 8  # classes in the summary
Write: TypeAlias = Callable[[Frame], None]


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Options for opening a source.

    rate: frames per second of a folder of images.
    live: whether frames that come too fast are dropped.
    options: NAME=VALUE for FFmpeg.
    """

    rate: float | None = None
    live: bool | None = None
    options: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Request(ModelRequest):
    """The options of `zoo video`."""

    source: str
    part: Part = field(default_factory=Part)
    opening: Opening = field(default_factory=Opening)
    save_to: Path | None = None
    sound: bool = True
    json_to: str | None = None
    report_to: Path | None = None
    report_images: int = gallery.DEFAULT_IMAGES
    font: Path | None = None
    track: str | bool = False


@dataclass
class _Tally:
    """Frames and detected classes so far, and the times of the first and last frame in seconds."""

    frames: int = 0
    first: float = 0.0
    last: float = 0.0
    classes: Counter[str] = field(default_factory=Counter)

    def __call__(self, frame: Frame) -> None:
        self.first = self.first if self.frames else frame.time
        self.last = frame.time
        self.frames += 1
        self.classes.update(frame.detections.class_names)

    def __str__(self) -> str:
        most = self.classes.most_common(MAX_CLASSES_SHOWN)
        classes = ", ".join(f"{name} x{count:,}" for name, count in most) or "nothing"
        rest = len(self.classes) - len(most)
        more = f" and {pluralize(rest, 'more class', 'more classes')}" if rest > 0 else ""
        times = f"{_clock(self.first)}-{_clock(self.last)}"
        return f"{pluralize(self.frames, 'frame')}, {times}  {classes}{more}"


def run(request: Request) -> int:
    """Runs the request; returns the exit code: 0, 1 if parts of the clip are damaged, 6 if there
    was no frame.

    Checks everything that does not need the model before it loads the model.
    Raises: KeyboardInterrupt, after it has finished the files.
    """
    _check_outputs(request)
    tally = _Tally()
    with ExitStack() as stack:
        source = _open(request)
        stack.callback(source.close)
        tracks = tracks_in(source.clip, request.track, every=request.part.every)
        add = stack.enter_context(json_list(request.json_to)) if request.json_to else None
        writer = _clip_writer(request, stack, source.clip) if request.save_to else None
        detector = load_or_default(request)
        writers: list[Write] = [tally]
        if writer:
            writers.append(lambda frame: writer.write(frame.draw(font=request.font), frame.time))
        if add:
            writers.append(_json_writer(add, detector, flush=request.json_to == STANDARD_OUTPUT))
        page = Collection(None, most=request.report_images) if request.report_to else None
        if page:
            writers.append(_page_writer(page))
        protocol, batch_size = request.protocol, request.batch_size
        stream = stack.enter_context(
            detect_in(detector, source, protocol=protocol, batch_size=batch_size, tracks=tracks)
        )
        stopped = _detect(stream, request.part, writers)
        with interrupt.finishing() if stopped else nullcontext():
            stream.close()
            if writer:
                writer.close(is_complete=not stopped)
            stack.close()
            if page and request.report_to and tally.frames:
                gallery.write_page(page, detector, protocol, request.report_to)
    return _print_summary(request, stream, tally, stopped)


def _open(request: Request) -> FrameSource:
    opening = request.opening
    options = dict(map(_option, opening.options))
    return open_source(
        request.source, request.part, rate=opening.rate, live=opening.live, options=options
    )


def _detect(stream: VideoStream, part: Part, writers: Sequence[Write]) -> KeyboardInterrupt | None:
    """Passes every frame to every writer; returns the interrupt that ended it, if any."""
    try:
        with Bar("Detecting", total=stream.clip.expected_frames(part)) as bar:
            for frame in stream:
                for write in writers:
                    write(frame)
                bar.advance()
    except KeyboardInterrupt as error:
        return error
    return None


def _print_summary(
    request: Request, stream: VideoStream, tally: _Tally, stopped: KeyboardInterrupt | None
) -> int:
    """Prints the summary and returns the exit code. Raises: the interrupt, if there was one."""
    late = stream.losses.counts["late"]
    dropped = f"; {late:,} dropped that came too fast" if late else ""
    aside = request.json_to == STANDARD_OUTPUT
    output.line(f"{without_password(request.source)}  {tally}{dropped}", err=aside)
    written = [("Results", request.json_to), ("Video", request.save_to if tally.frames else None)]
    for title, to in written:
        if to and str(to) != STANDARD_OUTPUT:
            output.line(f"{title}: {to}", err=True)
    if stopped:
        raise stopped
    if not tally.frames:
        stderr.error(_no_frame_error(request.part, stream.clip.duration))
        return VideoError.exit_code
    return 1 if stream.losses.damage else 0


def _no_frame_error(part: Part, duration: float | None) -> VideoError:
    """The error for a part without frames. duration: seconds of the clip, None if unknown."""
    failure = f"Nothing can be found in the video from {_clock(part.start)} on."
    if duration is None or part.start < duration:
        fix = "Begin earlier, with --from, or end later, with --to."
        return VideoError(failure, "No frame lies in that part of the video.", fix)
    case = f"No frame lies in that part of the video: it is {_clock(duration)} long."
    fix = f"Begin before its end, for example --from {_clock(duration / 2)}"
    return VideoError(failure, case, fix)


def _clip_writer(request: Request, stack: ExitStack, clip: Clip) -> ClipWriter:
    assert request.save_to is not None
    part = request.part
    writer = ClipWriter(
        request.save_to, clip=clip, start=part.start, end=part.end, sound=request.sound
    )
    return stack.enter_context(writer)


def _json_writer(add: Callable[[object], None], detector: BasePredictor, *, flush: bool) -> Write:
    sha256 = detector.weights.sha256 if detector.weights else None

    def write(frame: Frame) -> None:
        add(frame.to_json(model=detector.name, weights_sha256=sha256))
        if flush:  # the reader of a live source waits for each frame
            output.flush()

    return write


def _page_writer(page: Collection) -> Write:
    def write(frame: Frame) -> None:
        page.look(frame.image, frame.detections)
        name = Path(frame.detections.source or "frame").name
        page.add(frame.detections, name=f"{name}, {_clock(frame.time)}")

    return write


def _check_outputs(request: Request) -> None:
    """Raises: UsageError for two outputs to one file, one that would replace the clip, or a font
    that can't be read or is not used."""
    check_font(request.font, request.save_to, option="--save", example="annotated.mp4")
    files = {"--save": request.save_to, "--json": request.json_to, "--report": request.report_to}
    clip = Path(path_of(request.source)).resolve()
    for option, file in files.items():
        if file and str(file) != STANDARD_OUTPUT and Path(file).resolve() == clip and clip.exists():
            case = "That is the clip itself, and would be replaced."
            raise UsageError(f"{option} {clip.name} was given.", case, "Name another file.")
    check_distinct(files)


def _option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        fix = "Write for example --option rtsp_transport=udp"
        raise UsageError(f"--option '{text:.80}' was given.", "It is not NAME=VALUE.", fix)
    return name, value


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
