"""Saved clips play everywhere: H.264 with even sides, the index in front, the times and the sound
of the original."""

import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.locked_server import PASSWORD, locked_server, shown
from tests.patient_server import PatientServer
from zoo.errors import VideoError
from zoo.video import Clip, ClipWriter, Frame, VideoWarning, detect_video

Make = Callable[..., Path]


def save(squares, path: Path, to: Path, **part: float) -> Path:
    """Saves a clip again, with what is seen in it."""
    stream = detect_video(squares, path, **part)
    with ClipWriter(to, clip=stream.clip, **part) as writer:
        for frame in stream:
            writer.write(frame.image, frame.time)
    return to


def written(clip: Clip, frames: Iterable[Frame], to: Path) -> None:
    with ClipWriter(to, clip=clip) as writer:
        for frame in frames:
            writer.write(frame.image, frame.time)


def frames_of(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def sound_of(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        return [(float(packet.pts * packet.time_base), bytes(packet)) for packet in packets]


def test_a_saved_clip_is_what_browsers_play(make_clip: Make, squares, tmp_path: Path) -> None:
    to = save(squares, make_clip("a.mkv", size=(61, 97), pix_fmt="yuv444p"), tmp_path / "b.mp4")
    with av.open(str(to)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.height, stream.width) == (62, 98)
        assert stream.frames == 20
    content = to.read_bytes()
    assert content.find(b"moov") < content.find(b"mdat")


def test_times_are_kept_to_the_tick(make_clip: Make, squares, tmp_path: Path) -> None:
    path = make_clip("a.mp4", times=[0, 0.04, 0.3, 0.31, 1.5, 1.625])
    to = save(squares, path, tmp_path / "b.mp4")
    assert [frame.time for frame in frames_of(to)] == [frame.time for frame in frames_of(path)]


def test_sound_is_copied_bit_by_bit(make_clip: Make, squares, tmp_path: Path) -> None:
    path = make_clip("a.mp4", count=40, sound=True)
    to = save(squares, path, tmp_path / "b.mp4")
    assert sound_of(to) == sound_of(path)
    assert len(sound_of(to)) > 50


def test_the_sound_of_a_part_is_heard_with_its_frames(
    make_clip: Make, squares, tmp_path: Path
) -> None:
    path = make_clip("a.mp4", count=75, sound=True)
    to = save(squares, path, tmp_path / "b.mp4", start=1.0, end=2.0)
    frames, sound = frames_of(to), sound_of(to)
    assert len(frames) == 25
    assert frames[0].time == pytest.approx(0, abs=1e-3)
    assert sound[-1][0] == pytest.approx(1, abs=0.05)
    originals = {content: time for time, content in sound_of(path)}
    assert all(originals[content] - time == pytest.approx(1, abs=0.002) for time, content in sound)


def test_sound_that_the_format_can_t_hold_is_named(
    make_clip: Make, squares, tmp_path: Path
) -> None:
    path = make_clip("a.mp4", sound=True)
    with pytest.warns(VideoWarning, match=r"\.webm can't hold sound of the codec aac.*\.mkv"):
        to = save(squares, path, tmp_path / "b.webm")
    with av.open(str(to)) as container:
        assert container.streams.video[0].codec_context.name == "vp9"
        assert not container.streams.audio


def test_sound_that_can_t_be_read_again_is_warned_of(
    make_clip: Make, squares, tmp_path: Path
) -> None:
    path = make_clip("a.mp4", sound=True)
    stream = detect_video(squares, path)
    frames = list(stream)
    path.write_bytes(b"something else by now")
    with pytest.warns(VideoWarning, match=r"has no sound.*FFmpeg says: Invalid data"):
        written(stream.clip, frames, tmp_path / "b.mp4")
    assert len(frames_of(tmp_path / "b.mp4")) == len(frames)


def test_sound_is_fetched_with_the_options_of_the_clip(
    make_clip: Make, squares, tmp_path: Path
) -> None:
    class Guarded(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers["User-Agent"] == "me"
            self.send_response(200 if known else 403)
            self.send_header("Content-Length", str(len(content) if known else 0))
            self.end_headers()
            if known:
                self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    content = make_clip("a.mp4", sound=True).read_bytes()
    with PatientServer(("127.0.0.1", 0), Guarded) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/a.mp4"
        stream = detect_video(squares, url, live=False, options={"user_agent": "me"})
        written(stream.clip, stream, tmp_path / "b.mp4")
        server.shutdown()
    assert sound_of(tmp_path / "b.mp4")


def test_what_the_encoder_refuses_is_said_in_words(tmp_path: Path) -> None:
    with (
        pytest.raises(VideoError, match=r"FFmpeg says: .* libx264 was given 20000 x 64 pixels"),
        ClipWriter(tmp_path / "wide.mp4") as writer,
    ):
        writer.write(Image.new("RGB", (20_000, 64)), 0.0)
    assert not (tmp_path / "wide.mp4").exists()


def test_sound_can_be_left_out(make_clip: Make, tmp_path: Path, squares) -> None:
    stream = detect_video(squares, make_clip("a.mp4", sound=True))
    with ClipWriter(tmp_path / "b.mp4", clip=stream.clip, sound=False) as writer:
        for frame in stream:
            writer.write(frame.image, frame.time)
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert not container.streams.audio


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_colours_stay_what_they_are(tmp_path: Path, suffix: str) -> None:
    colors = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (230, 230, 40)]
    with ClipWriter(tmp_path / f"a{suffix}") as writer:
        for index, color in enumerate(colors):
            writer.write(Image.new("RGB", (64, 48), color), index / 25)
    for frame, color in zip(frames_of(tmp_path / f"a{suffix}"), colors, strict=True):
        seen = frame.to_ndarray(format="rgb24").reshape(-1, 3).mean(0)
        assert np.abs(seen - color).max() < 8


def test_a_frame_of_another_size_is_fitted_in(tmp_path: Path) -> None:
    with ClipWriter(tmp_path / "a.mp4") as writer:
        writer.write(Image.new("RGB", (64, 48)), 0)
        writer.write(Image.new("RGB", (32, 48), (250, 250, 250)), 0.04)
    second = frames_of(tmp_path / "a.mp4")[1].to_ndarray(format="rgb24")
    assert second.shape == (48, 64, 3)
    assert second[:, 18:46].mean() > 230
    assert second[:, :12].mean() < 20


def broken_off(to: Path, error: BaseException, *, after: int) -> None:
    """Saves a clip that an error ends."""
    with ClipWriter(to) as writer:
        for index in range(after):
            writer.write(Image.new("RGB", (64, 48)), index / 25)
        raise error


def test_an_interrupt_leaves_a_clip_with_the_frames_so_far(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        broken_off(tmp_path / "a.mp4", KeyboardInterrupt(), after=7)
    assert len(frames_of(tmp_path / "a.mp4")) == 7


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("old")
    with pytest.raises(ZeroDivisionError):
        broken_off(tmp_path / "a.mp4", ZeroDivisionError(), after=1)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_text() == "old"


def test_no_frames_make_no_clip(tmp_path: Path) -> None:
    with (
        pytest.raises(VideoError, match="There was no frame to save"),
        ClipWriter(tmp_path / "a.mp4"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("a.gif", "No video format has the suffix"),
        ("none/a.mp4", "There is no folder"),
        ("text/a.mp4", "is not a folder"),
        ("folder.mp4", "Is a directory"),
    ],
)
def test_a_place_that_can_t_be_written_is_named(tmp_path: Path, name: str, case: str) -> None:
    (tmp_path / "text").touch()
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(VideoError, match=case), ClipWriter(tmp_path / name):
        pass


def test_a_live_clip_begins_with_its_first_frame(tmp_path: Path) -> None:
    with ClipWriter(tmp_path / "a.mp4", clip=Clip(source="0", live=True)) as writer:
        for time in (7.5, 7.75):
            writer.write(Image.new("RGB", (64, 48)), time)
    assert [frame.time for frame in frames_of(tmp_path / "a.mp4")] == pytest.approx([0, 0.25])


def test_a_clip_behind_a_password_keeps_its_sound_and_shows_no_password(
    make_clip: Callable[..., Path], squares, tmp_path: Path
) -> None:
    path, to = make_clip("a.mp4", count=10, sound=True), tmp_path / "out.mp4"
    with locked_server(path.parent) as address:
        stream = detect_video(squares, f"{address}/a.mp4")
        with ClipWriter(to, clip=stream.clip) as writer:
            frames = list(stream)
            for frame in frames:
                writer.write(frame.draw(), frame.time)
    with av.open(str(to)) as container:
        assert [one.type for one in container.streams] == ["video", "audio"]
    assert stream.clip.source == f"{shown(address)}/a.mp4"
    assert {frame.to_json()["file"] for frame in frames} == {stream.clip.source}
    assert PASSWORD not in repr(stream.clip)
