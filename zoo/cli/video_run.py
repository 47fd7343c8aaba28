"""Runs `zoo video`: results, an annotated clip and a summary, while frames come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from zoo.cli import gallery, interrupt, output, stderr
from zoo.cli.detect_run import loaded
from zoo.cli.results import STANDARD_OUTPUT, json_list
from zoo.detectors import Protocol as Protocol
from zoo.detectors.detector import BasePredictor
from zoo.errors import UsageError, VideoError
from zoo.fonts import letters_of
from zoo.gallery import Collection
from zoo.images.read import path_of
from zoo.printable import without_password
from zoo.progress import Bar
from zoo.text import pluralize
from zoo.video import ClipWriter, Frame, VideoStream
from zoo.video.clip import Clip
from zoo.video.clip import Part as Part
from zoo.video.detect import detect_in, open_source
from zoo.video.reader import FrameSource
from zoo.video.track import tracks_in

SHOWN = 8  # classes in the summary
Write: TypeAlias = Callable[[Frame], None]


@dataclass(frozen=True, kw_only=True)
class Opening:
    """How a source is opened: frames a second of a folder, whether late frames are dropped, and
    NAME=VALUE for FFmpeg."""

    rate: float | None = None
    live: bool | None = None
    options: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options of `zoo video`."""

    source: str
    model: str | None = None
    weights: str | None = None
    labels: str | Sequence[str] | None = None
    device: str | None = None
    engine: str | None = None
    protocol: Protocol = field(default_factory=lambda: Protocol(score=0.3))
    batch_size: int | Literal["auto"] = "auto"
    part: Part = field(default_factory=Part)
    opening: Opening = field(default_factory=Opening)
    save_to: Path | None = None
    sound: bool = True
    json_to: str | None = None
    report_to: Path | None = None
    report_images: int = gallery.IMAGES
    font: Path | None = None
    track: str | bool = False


@dataclass
class _Tally:
    """Counts of what came by so far."""

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
        most = self.classes.most_common(SHOWN)
        classes = ", ".join(f"{name} x{count:,}" for name, count in most) or "nothing"
        rest = len(self.classes) - len(most)
        more = f" and {pluralize(rest, 'more class', 'more classes')}" if rest > 0 else ""
        times = f"{_clock(self.first)}-{_clock(self.last)}"
        return f"{pluralize(self.frames, 'frame')}, {times}  {classes}{more}"


def run(asked: Request) -> int:
    """Runs the request; returns 0, 1 if something of the clip was lost, or 6 if no frame came out.

    Whatever can be found wrong without the model is found before it is loaded.
    Raises: KeyboardInterrupt, after the files were finished.
    """
    _check_places(asked)
    tally = _Tally()
    with ExitStack() as stack:
        source = _opened(asked)
        stack.callback(source.close)
        tracks = tracks_in(source.clip, asked.track, every=asked.part.every)
        add = stack.enter_context(json_list(asked.json_to)) if asked.json_to else None
        writer = _writer(asked, stack, source.clip) if asked.save_to else None
        detector = loaded(
            asked.model,
            weights=asked.weights,
            labels=asked.labels,
            device=asked.device,
            engine=asked.engine,
        )
        writers: list[Write] = [tally]
        if writer:
            writers.append(lambda frame: writer.write(frame.draw(font=asked.font), frame.time))
        if add:
            writers.append(_json_writer(add, detector, flush=asked.json_to == STANDARD_OUTPUT))
        page = Collection(None, most=asked.report_images) if asked.report_to else None
        if page:
            writers.append(_page_writer(page))
        protocol, batch_size = asked.protocol, asked.batch_size
        stream = stack.enter_context(
            detect_in(detector, source, protocol=protocol, batch_size=batch_size, tracks=tracks)
        )
        stopped = _look(stream, asked.part, writers)
        with interrupt.finishing() if stopped else nullcontext():
            stream.close()
            if writer:
                writer.close(whole=not stopped)
            stack.close()
            if page and asked.report_to and tally.frames:
                gallery.write_page(page, detector, protocol, asked.report_to)
    return _said(asked, stream, tally, stopped)


def _opened(asked: Request) -> FrameSource:
    opening = asked.opening
    options = dict(map(_option, opening.options))
    return open_source(
        asked.source, asked.part, rate=opening.rate, live=opening.live, options=options
    )


def _look(stream: VideoStream, part: Part, writers: Sequence[Write]) -> KeyboardInterrupt | None:
    """Sends every frame to every writer; returns the interrupt, if one ended it."""
    try:
        with Bar("Detecting", total=stream.clip.expected(part)) as bar:
            for frame in stream:
                for write in writers:
                    write(frame)
                bar.advance()
    except KeyboardInterrupt as error:
        return error
    return None


def _said(
    asked: Request, stream: VideoStream, tally: _Tally, stopped: KeyboardInterrupt | None
) -> int:
    """Says what came of it. Raises: the interrupt."""
    late = stream.losses.counts["late"]
    dropped = f"; {late:,} dropped that came too fast" if late else ""
    aside = asked.json_to == STANDARD_OUTPUT
    output.line(f"{without_password(asked.source)}  {tally}{dropped}", err=aside)
    written = [("Results", asked.json_to), ("Video", asked.save_to if tally.frames else None)]
    for what, to in written:
        if to and str(to) != STANDARD_OUTPUT:
            output.line(f"{what}: {to}", err=True)
    if stopped:
        raise stopped
    if not tally.frames:
        stderr.error(_nothing_there(asked.part, stream.clip.duration))
        return VideoError.exit_code
    return 1 if stream.losses.damage else 0


def _nothing_there(part: Part, length: float | None) -> VideoError:
    """The error for a part without frames. length: of the clip in seconds, where it says so."""
    asked = f"Nothing can be found in the video from {_clock(part.start)} on."
    if length is None or part.start < length:
        fix = "Begin earlier, with --from, or end later, with --to."
        return VideoError(asked, "No frame lies in that part of the video.", fix)
    case = f"No frame lies in that part of the video: it is {_clock(length)} long."
    fix = f"Begin before its end, for example --from {_clock(length / 2)}"
    return VideoError(asked, case, fix)


def _writer(asked: Request, stack: ExitStack, clip: Clip) -> ClipWriter:
    assert asked.save_to is not None
    part = asked.part
    made = ClipWriter(asked.save_to, clip=clip, start=part.start, end=part.end, sound=asked.sound)
    return stack.enter_context(made)


def _json_writer(add: Callable[[object], None], detector: BasePredictor, *, flush: bool) -> Write:
    sha256 = detector.weights.sha256 if detector.weights else None

    def write(frame: Frame) -> None:
        add(frame.to_json(model=detector.name, weights_sha256=sha256))
        if flush:  # whoever reads a live source waits for it
            output.flush()

    return write


def _page_writer(page: Collection) -> Write:
    def write(frame: Frame) -> None:
        page.look(frame.image, frame.detections)
        name = Path(frame.detections.source or "frame").name
        page.add(frame.detections, name=f"{name}, {_clock(frame.time)}")

    return write


def _check_places(asked: Request) -> None:
    """Refuses outputs that get in each other's way or replace the clip. Raises: UsageError."""
    if asked.font and not asked.save_to:
        case = "It is for --save, which was not."
        raise UsageError("--font was given.", case, "Add --save annotated.mp4")
    if asked.font:
        letters_of(12, asked.font)
    taken: dict[Path, str] = {}
    places = {"--save": asked.save_to, "--json": asked.json_to, "--report": asked.report_to}
    for option, to in places.items():
        if not to or str(to) == STANDARD_OUTPUT:
            continue
        place = Path(to).resolve()
        if place == Path(path_of(asked.source)).resolve() and place.exists():
            case = "That is the clip itself, and would be replaced."
            fix = "Name another file."
            raise UsageError(f"{option} {place.name} was given.", case, fix)
        if (before := taken.setdefault(place, option)) != option:
            case, fix = f"Both would be written to '{to}'.", "Name a file of its own for each."
            raise UsageError(f"{before} and {option} were given.", case, fix)


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
