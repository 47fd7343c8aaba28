"""Frames come in order with what is seen in them, in constant memory, and nothing stays open."""

import gc
import os
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
import pytest
import torch

import zoo
from zoo.errors import UsageError
from zoo.testing.toy import Toy
from zoo.video import VideoWarning, detect_video
from zoo.video.clip import Clip
from zoo.video.detect import reads_ahead
from zoo.video.reader import THREAD_NAME

Make = Callable[..., Path]


def open_files() -> set[str]:
    return {
        os.readlink(f"/proc/self/fd/{number}")
        for number in os.listdir("/proc/self/fd")
        if os.path.exists(f"/proc/self/fd/{number}")
    }


@pytest.mark.usefixtures("cores")
def test_each_frame_comes_with_what_is_seen_in_it(make_clip: Make, squares, shown) -> None:
    path = make_clip("a.mp4", count=50)
    stream = detect_video(squares, path, batch_size=8)
    frames = list(stream)
    assert [shown(frame.detections) for frame in frames] == list(range(50))
    assert [frame.index for frame in frames] == list(range(50))
    assert {frame.detections.source for frame in frames} == {str(path)}
    assert {frame.detections.size for frame in frames} == {(64, 96)}
    assert max(squares.batches) == 8
    assert not stream.losses.damage


def test_each_frame_of_a_folder_says_its_image(tmp_path: Path, squares) -> None:
    files = [tmp_path / f"{number}.png" for number in range(3)]
    for file in files:
        PIL.Image.new("RGB", (96, 64)).save(file)
    seen = [frame.to_json()["file"] for frame in detect_video(squares, tmp_path, every=2)]
    assert seen == [str(files[0]), str(files[2])]


def test_a_detector_sees_the_same_as_in_each_image(make_clip: Make) -> None:
    torch.manual_seed(0)
    model = Toy(zoo.LabelSpace("toys", ("a", "b", "c"))).eval()
    frames = list(model.detect_video(make_clip("a.mp4", count=12), score=0.1, batch_size=5))
    assert any(len(frame.detections) for frame in frames)
    for frame in frames:
        assert frame.detections.equals(model.detect(frame.image, score=0.1), tolerance=1e-4)


def test_images_are_a_video_as_well(squares, make_clip: Make, shown) -> None:
    stills = [
        np.asarray(frame.image).transpose(1, 2, 0)
        for frame in detect_video(squares, make_clip("a.mp4", count=6))
    ]
    for source in (stills, np.stack(stills), (still for still in stills)):
        frames = list(detect_video(squares, source, rate=10))
        assert [shown(frame.detections) for frame in frames] == list(range(6))
        assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])


@pytest.fixture(params=[2, 8], ids=["two cores", "many cores"])
def cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.video.detect.cores", lambda: request.param)


def test_a_thread_reads_ahead_where_there_is_something_to_gain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clip, camera = Clip(source="a.mp4"), Clip(source="0", live=True)
    monkeypatch.setattr("zoo.video.detect.cores", lambda: 2)
    assert not reads_ahead(clip, "cpu")
    assert reads_ahead(clip, "cuda")
    assert reads_ahead(camera, "cpu")
    assert reads_ahead(Clip(source="https://example.org/a.mp4"), "cpu")
    monkeypatch.setattr("zoo.video.detect.cores", lambda: 4)
    assert reads_ahead(clip, "cpu")


@pytest.mark.usefixtures("cores")
def test_breaking_off_ends_the_thread_and_closes_the_file(make_clip: Make, squares) -> None:
    path = make_clip("a.mp4", count=200)
    for frame in detect_video(squares, path):
        assert str(path) in open_files()
        if frame.index == 5:
            break
    gc.collect()
    assert THREAD_NAME not in {thread.name for thread in threading.enumerate()}
    assert str(path) not in open_files()


def test_a_stream_that_is_never_looked_at_is_closed(make_clip: Make, squares) -> None:
    path = make_clip("a.mp4")
    with detect_video(squares, path) as stream:
        assert stream.clip.frames == 20
    assert str(path) not in open_files()


class Patient:
    """A predictor that waits for a word from outside at each batch."""

    def __init__(self, predictor: Any) -> None:
        self._predictor = predictor
        self.begun, self.may_go_on = threading.Event(), threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._predictor, name)

    def predict(self, *words: Any) -> Any:
        self.begun.set()
        assert self.may_go_on.wait(30)
        return self._predictor.predict(*words)


def test_another_thread_may_close_it_while_a_frame_is_made(make_clip: Make, squares) -> None:
    path = make_clip("a.mp4", count=50)
    patient, seen = Patient(squares), []
    stream = detect_video(patient, path, batch_size=1)  # type: ignore[arg-type]
    looking = threading.Thread(target=lambda: seen.extend(stream))
    looking.start()
    assert patient.begun.wait(30)
    stream.close()
    patient.may_go_on.set()
    looking.join(30)
    assert not looking.is_alive()
    assert seen == []
    assert str(path) not in open_files()
    assert list(stream) == []


def test_memory_does_not_grow_with_the_length(make_clip: Make, squares) -> None:
    count, height, width = 500, 128, 192
    path = make_clip(
        "long.mp4",
        count=count,
        size=(height, width),
        preset="ultrafast",
        draw=lambda index, height, width: np.full((height, width, 3), 90, np.uint8),
    )
    tracemalloc.start()
    for _ in detect_video(squares, path):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Timing decides how many frames wait, up to a bound that the length has no part in.
    assert peak < 0.2 * count * height * width * 3


def test_what_was_lost_is_warned_of_at_the_end(make_clip: Make, damage, noise, squares) -> None:
    path = damage(make_clip("a.mp4", count=60, draw=noise, g="10"))
    stream = detect_video(squares, path)
    with pytest.warns(VideoWarning, match=r"a-damaged\.mp4': .*damaged"):
        frames = list(stream)
    assert len(frames) > 40
    assert stream.losses.damage


def test_a_live_source_drops_what_comes_too_fast(make_clip: Make, squares, shown) -> None:
    path = make_clip("a.mp4", count=60)
    inner = squares.predict

    def slow(images, thresholds):
        time.sleep(0.01)
        return inner(images, thresholds)

    squares.predict = slow
    stream = detect_video(squares, path, live=True)
    frames = list(stream)
    assert len(frames) + stream.losses.counts["late"] == 60
    assert stream.losses.counts["late"] > 0
    assert [shown(frame.detections) for frame in frames] == [frame.index for frame in frames]
    assert set(squares.batches) == {1}


def test_a_stream_over_the_network_is_live_and_may_be_cut(squares) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    ready = threading.Event()

    def send() -> None:
        ready.wait(10)
        time.sleep(0.2)
        output = av.open(address, "w", format="mpegts")
        stream = output.add_stream("libx264", rate=25, options={"tune": "zerolatency"})
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
        for _ in range(30):
            image = np.zeros((64, 96, 3), np.uint8)
            image[8:24, 16:32] = 255
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        output.close()

    thread = threading.Thread(target=send)
    thread.start()
    ready.set()
    stream = detect_video(squares, f"{address}?listen=1&listen_timeout=10000")
    frames = list(stream)
    thread.join(10)
    assert stream.clip.live
    assert frames
    assert frames[0].time == pytest.approx(frames[0].index / 25)  # late ones may have been dropped
    assert [frame.time for frame in frames] == sorted(frame.time for frame in frames)
    assert len(frames[-1].detections) == 1


@pytest.mark.parametrize("source", [None, 1.5, True, b"bytes", {"a": 1}])
def test_what_is_no_video_is_refused(squares, source: object) -> None:
    with pytest.raises(UsageError, match="as a video"):
        detect_video(squares, source)


def test_a_rate_is_for_images_and_refused_for_a_clip(make_clip: Make, squares) -> None:
    with pytest.raises(UsageError, match=r"(?s)rate=10 can't be used.*have times of their own"):
        detect_video(squares, make_clip("a.mp4"), rate=10)


def test_a_frame_as_json_has_what_detect_has(make_clip: Make, squares) -> None:
    frame = next(detect_video(squares, make_clip("a.mp4"), start=0.2))
    row = frame.to_json(model="squares")
    assert list(row) == [
        "file",
        "frame",
        "time",
        "width",
        "height",
        "model",
        "weights_sha256",
        "detections",
    ]
    assert (row["frame"], row["time"], row["width"], row["height"]) == (0, 0.2, 96, 64)
    assert row["detections"] == frame.detections.to_json()["detections"]


def test_a_frame_is_drawn_like_an_image(make_clip: Make, squares) -> None:
    frame = next(detect_video(squares, make_clip("a.mp4")))
    assert np.array_equal(frame.draw(), zoo.draw.draw(frame.image, frame.detections))
