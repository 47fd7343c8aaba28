"""Frames come out of real files in order, upright, with their own times; what is damaged is counted
and the rest comes out."""

import traceback
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from zoo.errors import OfflineError, VideoError
from zoo.video.clip import Part
from zoo.video.decode import AvSource, ffmpeg_address

Make = Callable[..., Path]


def frames_of(path: Path | str, **part: float) -> tuple[AvSource, list]:
    source = AvSource(str(path), Part(**part))
    try:
        return source, list(source.frames())
    finally:
        source.close()


def test_every_frame_comes_out_with_its_number_and_time(make_clip: Make) -> None:
    source, frames = frames_of(make_clip("a.mp4", count=30))
    assert [frame.index for frame in frames] == list(range(30))
    assert [frame.time for frame in frames] == pytest.approx([index / 25 for index in range(30)])
    assert source.clip.rate == pytest.approx(25, rel=0.05)
    assert (source.clip.frames, source.clip.sound, source.clip.live) == (30, False, False)
    assert not source.losses.damage


def test_a_variable_frame_rate_is_kept(make_clip: Make) -> None:
    times = [0, 0.04, 0.3, 0.31, 1.5, 1.625]
    _, frames = frames_of(make_clip("a.mp4", times=times))
    assert [frame.time for frame in frames] == pytest.approx(times, abs=1e-4)


def test_a_recorders_clip_whose_times_begin_late_is_not_cut(make_clip: Make) -> None:
    source, frames = frames_of(make_clip("a.mkv", times=[5 + index / 10 for index in range(10)]))
    assert [frame.time for frame in frames] == pytest.approx([index / 10 for index in range(10)])
    assert source.clip.duration == pytest.approx(1, abs=0.15)
    assert source.losses.cut == ""


@pytest.mark.parametrize("size", [(66, 98), (64, 96), (64, 40), (62, 82)])
def test_pixels_are_those_of_interleaved_rgb(
    make_clip: Make, noise: Callable, size: tuple[int, int]
) -> None:
    path = make_clip("a.mp4", count=3, draw=noise, size=size)
    with av.open(str(path)) as container:
        theirs = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for ours, other in zip(frames_of(path)[1], theirs, strict=True):
        assert np.array_equal(ours.image.numpy().transpose(1, 2, 0), other)


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_a_rotated_clip_is_upright_as_opencv_shows_it(make_clip: Make, rotation: int) -> None:
    path = make_clip("a.mp4", count=2, rotation=rotation)
    capture = cv2.VideoCapture(str(path))
    read, theirs = capture.read()
    capture.release()
    ours = frames_of(path)[1][0].image.numpy().transpose(1, 2, 0)
    assert read
    assert ours.shape == theirs.shape
    assert np.abs(ours.astype(int) - theirs[..., ::-1].astype(int)).mean() < 4


@pytest.mark.parametrize("size", [(61, 97), (1, 1), (64, 33)])
def test_odd_sizes_come_out_whole(make_clip: Make, size: tuple[int, int]) -> None:
    path = make_clip("a.mkv", count=2, size=size, codec="libx264", pix_fmt="yuv444p")
    assert tuple(frames_of(path)[1][0].image.shape[1:]) == size


def test_one_of_every_three_frames(make_clip: Make) -> None:
    _, frames = frames_of(make_clip("a.mp4", count=10), every=3)
    assert [(frame.index, round(frame.time, 3)) for frame in frames] == [
        (0, 0.0),
        (3, 0.12),
        (6, 0.24),
        (9, 0.36),
    ]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
def test_a_part_begins_and_ends_where_it_was_said(make_clip: Make, name: str) -> None:
    path = make_clip(name, count=60, g="25", codec="mpeg4" if name == "a.avi" else "libx264")
    times = [frame.time for frame in frames_of(path)[1]]
    _, part = frames_of(path, start=1.0, end=1.4)
    assert [frame.time for frame in part] == [time for time in times if 1.0 <= time + 1e-6 < 1.4]
    assert [frame.index for frame in part] == list(range(10))


def test_time_zero_is_the_beginning_of_a_transport_stream(make_clip: Make) -> None:
    path = make_clip("a.ts", count=5)
    with av.open(str(path)) as container:
        assert container.start_time > 0
    _, frames = frames_of(path)
    assert [frame.time for frame in frames] == pytest.approx([0, 0.04, 0.08, 0.12, 0.16], abs=1e-3)


def test_a_stream_without_times_gets_them_from_its_rate(make_clip: Make) -> None:
    source, frames = frames_of(make_clip("a.h264", count=6, bf="0"))
    assert len(frames) == 6
    times = [frame.time for frame in frames]
    assert times == sorted(set(times))
    assert source.losses.counts["times"] or times[1] == pytest.approx(0.04)


@pytest.mark.parametrize("name", ["a.mp4", "a.ts"])
def test_damaged_bytes_are_counted_and_the_rest_comes_out(
    make_clip: Make, damage: Callable, noise: Callable, name: str
) -> None:
    path = damage(make_clip(name, count=80, draw=noise, g="10"))
    source, frames = frames_of(path)
    counts = source.losses.counts
    assert counts["packets"] + counts["frames"] >= 1
    assert 60 <= len(frames) <= 80
    assert frames[-1].time == pytest.approx(79 / 25, abs=0.1)
    assert "damaged" in str(source.losses)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_file_that_was_cut_is_counted_and_what_is_there_comes_out(
    make_clip: Make, cut: Callable, noise: Callable, name: str
) -> None:
    source, frames = frames_of(cut(make_clip(name, count=80, draw=noise)))
    assert 30 <= len(frames) < 60
    assert source.losses.cut.startswith("It ends after ")


@pytest.mark.parametrize("name", ["a.mp4", "a.ts"])
def test_a_part_of_a_whole_file_is_neither_cut_nor_damaged(make_clip: Make, name: str) -> None:
    path = make_clip(name, count=60, g="10")
    assert not frames_of(path, start=1.0)[0].losses.damage
    assert not frames_of(path, end=1.0)[0].losses.damage


def test_a_file_cut_before_its_index_is_refused_in_words(make_clip: Make, cut: Callable) -> None:
    with av.open(str(make_clip("whole.mp4"))) as whole:
        content = b"".join(bytes(packet) for packet in whole.demux(video=0))
    path = make_clip("whole.mp4").with_name("b.mp4")
    path.write_bytes(b"\0\0\0\x18ftypisom\0\0\2\0isomiso2\0\1\0\0mdat" + content)
    with pytest.raises(VideoError, match="It is not a video that FFmpeg knows, or cut short"):
        AvSource(str(path), Part())


def test_what_can_t_be_opened_says_why_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("hello")
    (tmp_path / "empty.mp4").touch()
    cases = {
        "none.mp4": "There is no such file",
        str(tmp_path / "text.mp4"): "It is not a video",
        str(tmp_path / "empty.mp4"): "It is empty",
        "97": "Camera 97 can't be opened",
        "rtsp://127.0.0.1:9/street": "Connection refused",
    }
    for address, case in cases.items():
        with pytest.raises(VideoError, match=case) as caught:
            AvSource(address, Part())
        assert caught.value.file == address
        assert caught.value.fix


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(VideoError, match="There is sound in it, and no images"):
        AvSource(str(tmp_path / "a.wav"), Part())


def test_a_file_s_name_is_never_a_protocol(
    make_clip: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_clip("a.mp4", count=2)
    monkeypatch.chdir(path.parent)
    path.rename("concat:a.mp4")
    assert len(frames_of("concat:a.mp4")[1]) == 2
    assert ffmpeg_address("rtsp://a/b") == ("rtsp://a/b", None)
    assert ffmpeg_address("0")[1] == "v4l2"


@pytest.mark.parametrize(
    "address", ["rtsp://admin:s3cret@127.0.0.1:9/cam", "http://s3cret@[::1]:9"]
)
def test_a_password_is_in_no_error_and_its_traceback(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(VideoError, match=r"://\*\*\*@") as caught:
        AvSource(address, Part())
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
    assert "***@" in str(caught.value.file)
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(OfflineError, match=r"://\*\*\*@"):
        AvSource(address, Part())


def test_offline_no_address_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(OfflineError, match="ZOO_OFFLINE"):
        AvSource("http://127.0.0.1:9/a.mp4", Part())


def test_frames_beyond_the_limit_of_pixels_are_refused(
    make_clip: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_clip("a.mp4", count=2)
    monkeypatch.setenv("ZOO_IMAGE_PIXELS", "1000")
    with pytest.raises(VideoError, match=r"96 x 64 pixels\.\n.*ZOO_IMAGE_PIXELS"):
        frames_of(path)


def test_the_real_clip_is_read_as_opencv_reads_it(shared: Path) -> None:
    path = shared / "fish_voc" / "fish.mp4"
    _, frames = frames_of(path, end=1.0)
    capture = cv2.VideoCapture(str(path))
    for frame in frames:
        theirs = capture.read()[1][..., ::-1]
        ours = frame.image.numpy().transpose(1, 2, 0)
        assert np.abs(ours.astype(int) - theirs.astype(int)).mean() < 3
    capture.release()
    assert [frame.time for frame in frames] == pytest.approx(
        [index * 12 / 359 for index in range(30)], abs=1e-4
    )
