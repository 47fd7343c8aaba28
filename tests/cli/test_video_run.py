"""`zoo video` from the inside: what it prints and writes, and what it answers."""

import json
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.locked_server import PASSWORD, locked_server, shown
from zoo.cli import video_run
from zoo.cli.video_run import Opening, Request, run
from zoo.detectors import Protocol
from zoo.errors import NameNotFound, UsageError, VideoError
from zoo.video import VideoStream
from zoo.video.clip import Part

PICO = "shapes/yolox_pico"
Shell = Callable[..., Any]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A clip of ten frames, one second long."""
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt = 96, 128, "yuv420p"
        for index in range(10):
            image = np.random.default_rng(index).integers(0, 99, (96, 128, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_results_a_clip_and_a_summary_come_of_one_run(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to, rows = tmp_path / "out.mp4", tmp_path / "out.jsonl"
    request = Request(source=str(clip), model=PICO, save_to=to, json_to=str(rows))
    assert run(request) == 0
    written = [json.loads(line) for line in rows.read_text().splitlines()]
    assert [row["frame"] for row in written] == list(range(10))
    assert [row["time"] for row in written] == [index / 10 for index in range(10)]
    assert written[0]["file"] == str(clip)
    assert len(written[0]["weights_sha256"]) == 64
    with av.open(str(to)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 10
    out, err = capsys.readouterr()
    assert out.startswith(f"{clip}  10 frames, 0:00.0-0:00.9  ")
    assert f"Video: {to}" in err


def test_a_page_has_frames_with_their_times(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "out.html"
    request = Request(source=str(clip), model=PICO, report_to=to, report_images=6)
    assert run(request) == 0
    page = to.read_text()
    assert [f"clip.mp4, 0:00.{index}" in page for index in range(10)] == [True, False] * 5
    assert f"Report: {to}" in capsys.readouterr().err


def test_results_have_tracks_where_they_are_asked_for(clip: Path, tmp_path: Path) -> None:
    rows = tmp_path / "out.jsonl"
    protocol = Protocol(score=0.001, max_boxes=5)
    for track in (False, "sort"):
        asked = Request(
            source=str(clip), model=PICO, json_to=str(rows), track=track, protocol=protocol
        )
        assert run(asked) == 0
        written = [json.loads(line) for line in rows.read_text().splitlines()]
        detections = [detection for row in written for detection in row["detections"]]
        assert detections
        assert {"track" in detection for detection in detections} == {bool(track)}


def test_lines_on_standard_output_are_nothing_but_json(
    clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(Request(source=str(clip), model=PICO, json_to="-", part=Part(every=5))) == 0
    out, err = capsys.readouterr()
    assert [row["frame"] for row in json.loads(out)] == [0, 5]
    assert "2 frames" in err


def test_a_part_without_frames_is_an_error(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Request(source=str(clip), model=PICO, part=Part(start=9.0))) == 6
    said = capsys.readouterr().err
    assert "Error: Nothing can be found in the video from 0:09.0 on.\n" in said
    assert re.search(r"No frame lies in that part of the video: it is 0:0\d\.\d long\.", said)
    assert re.search(r"--from 0:0\d\.\d\n", said)


def test_an_interrupt_keeps_what_is_there(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = VideoStream.__next__

    def interrupted(stream: VideoStream) -> object:
        frame = inner(stream)
        if frame.index == 4:
            raise KeyboardInterrupt
        return frame

    monkeypatch.setattr(VideoStream, "__next__", interrupted)
    to, rows = tmp_path / "out.mp4", tmp_path / "out.jsonl"
    with pytest.raises(KeyboardInterrupt):
        run(Request(source=str(clip), model=PICO, save_to=to, json_to=str(rows)))
    assert len(rows.read_text().splitlines()) == 4
    with av.open(str(to)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 4


def test_what_was_lost_is_exit_code_1(
    clip: Path, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    content = clip.read_bytes()
    half, length = len(content) // 2, len(content) // 8
    clip.write_bytes(content[:half] + bytes(length) + content[half + length :])
    assert run(Request(source=str(clip), model=PICO)) == 1
    assert "frames" in capsys.readouterr().out
    assert "damaged" in str(recwarn.pop().message)


@pytest.mark.parametrize(
    ("options", "case"),
    [
        ({"save_to": "clip.mp4"}, "That is the clip itself"),
        ({"json_to": "clip.mp4"}, "That is the clip itself"),
        ({"save_to": "a.mp4", "json_to": "a.mp4"}, "Both would be written"),
        ({"report_to": "a.html", "json_to": "./a.html"}, "Both would be written"),
        ({"font": "a.ttf"}, "It is for --save"),
        ({"opening": Opening(options=["x"])}, "It is not NAME=VALUE"),
        ({"track": "magic"}, "No 'magic' among the trackers"),
    ],
)
def test_options_at_odds_are_refused_before_the_model_is_loaded(
    clip: Path, options: dict, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clip.parent)
    monkeypatch.setattr(video_run, "load_or_default", None)
    options = {
        name: Path(value) if name in ("save_to", "font") else value
        for name, value in options.items()
    }
    with pytest.raises((UsageError, NameNotFound), match=case):
        run(Request(source="clip.mp4", model=PICO, **options))


def test_a_clip_named_as_an_address_is_not_replaced(clip: Path) -> None:
    with pytest.raises(UsageError, match="That is the clip itself"):
        run(Request(source=clip.as_uri(), model=PICO, save_to=clip))


def test_a_clip_that_is_not_there_is_said_before_the_model_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(video_run, "load_or_default", None)
    with pytest.raises(VideoError, match="There is no such file"):
        run(Request(source="none.mp4", model=PICO))


def test_a_clip_is_looked_at_by_the_engine_that_is_named(clip: Path) -> None:
    with pytest.raises(NameNotFound, match="onnxruntim"):
        run(Request(source=str(clip), model=PICO, engine="onnxruntim"))


def test_a_password_is_in_nothing_that_is_said_or_written(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "out"
    to.mkdir()
    with locked_server(clip.parent) as address:
        request = Request(
            source=f"{address}/{clip.name}",
            model=PICO,
            save_to=to / "out.mp4",
            json_to=str(to / "out.jsonl"),
            report_to=to / "out.html",
        )
        assert run(request) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{shown(address)}/{clip.name}  10 frames")
    assert PASSWORD not in out + err
    written = sorted(to.iterdir())
    assert len(written) == 3
    assert not [path for path in written if PASSWORD.encode() in path.read_bytes()]
