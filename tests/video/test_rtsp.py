"""A stream by RTSP gives its frames with their times; a server that dies or falls silent ends it,
is named, and what came is kept."""

import threading
from collections.abc import Callable, Sequence

import pytest

from tests.video.conftest import still
from tests.video.rtsp_server import street
from zoo.errors import VideoError
from zoo.video import Frame, VideoWarning, decode, detect_video, reader

IMAGES = [still(index) for index in range(40)]


def check(frames: Sequence[Frame], shown: Callable[..., int]) -> None:
    """Frames are those that their numbers and times say; late ones may have been dropped."""
    assert [shown(frame.detections) for frame in frames] == [frame.index for frame in frames]
    times = [frame.index / 25 for frame in frames]
    assert [frame.time for frame in frames] == pytest.approx(times, abs=1e-3)


@pytest.mark.parametrize("bframes", ["0", "3"])
def test_frames_come_in_order_with_their_times(squares, shown, bframes: str) -> None:
    with street(IMAGES, bf=bframes) as server:
        stream = detect_video(squares, server.url)
        frames = list(stream)
    check(frames, shown)
    assert frames[-1].index == 39
    assert len(frames) + stream.losses.counts["late"] == 40
    assert stream.clip.live
    assert not stream.losses.damage
    assert "TCP" in server.transports[0]


def test_a_server_without_tcp_is_asked_for_udp(squares, shown) -> None:
    frames = []
    with (
        street(IMAGES, ending="silence", over_udp=True, bf="0") as server,
        detect_video(squares, server.url) as stream,
    ):
        while not frames or frames[-1].index < 30:
            frames.append(next(stream))
    check(frames, shown)
    assert ["TCP" in transport for transport in server.transports] == [True, False]


def test_a_stream_may_be_left_while_its_server_is_silent(
    squares, shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "CLOSING_SECONDS", 0.1)
    with street(IMAGES, ending="silence") as server, detect_video(squares, server.url) as stream:
        frame = next(stream)
        check([frame], shown)
        stream.close()
    for thread in threading.enumerate():
        if thread.name == reader.THREAD_NAME:
            thread.join(10)
    assert reader.THREAD_NAME not in {thread.name for thread in threading.enumerate()}
    assert not stream.losses.counts["times"]


@pytest.mark.parametrize(
    ("ending", "patience", "words"),
    [("death", 10.0, "the server hung up"), ("silence", 2.0, "nothing came for 2 seconds")],
)
def test_a_server_that_dies_or_falls_silent_is_named_and_what_came_is_kept(
    squares, shown, monkeypatch: pytest.MonkeyPatch, ending: str, patience: float, words: str
) -> None:
    monkeypatch.setattr(decode, "TIMEOUT_SECONDS", patience)
    with street(IMAGES, ending=ending) as server:
        stream = detect_video(squares, server.url)
        with pytest.warns(VideoWarning, match=f"It was cut: {words}"):
            frames = list(stream)
    check(frames, shown)
    assert frames[-1].index == 39


def test_an_address_where_nobody_answers_is_refused_at_once(squares) -> None:
    with street(IMAGES) as server:
        address = server.url
    with pytest.raises(VideoError, match="Connection refused") as caught:
        detect_video(squares, address)
    assert caught.value.file == address
    assert caught.value.fix
