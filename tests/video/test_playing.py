"""A clip that was saved plays in Chromium: its length, its size, its colours and its sound."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser import Open
from zoo.draw.palette import color_of
from zoo.video import ClipWriter, detect_video

Make = Callable[..., Path]
PLAY = """
async (color) => {
    const count = (pixels, color) => {
        let near = 0;
        for (let at = 0; at < pixels.length; at += 4)
            near += color.every((value, channel) => Math.abs(value - pixels[at + channel]) < 40);
        return near;
    };
    const video = document.querySelector("video");
    await video.play();
    const begun = video.currentTime;
    await new Promise((ended) => (video.onended = ended));
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    const pen = canvas.getContext("2d");
    pen.drawImage(video, 0, 0);
    return {
        width: video.videoWidth,
        height: video.videoHeight,
        duration: video.duration,
        moved: video.currentTime - begun,
        heard: video.webkitAudioDecodedByteCount,
        drawn: count(pen.getImageData(0, 0, canvas.width, canvas.height).data, color),
    };
}
"""


PAGE = '<!doctype html><video muted src="data:video/mp4;base64,{}"></video>'


@pytest.mark.parametrize(
    ("name", "facts", "size"),
    [
        ("a.mp4", {"sound": True}, (160, 240)),
        ("a.mkv", {"size": (161, 241), "pix_fmt": "yuv444p"}, (162, 242)),
        ("a.mp4", {"rotation": 90}, (240, 160)),
    ],
    ids=["sound", "odd sides", "rotated"],
)
def test_a_saved_clip_plays_in_a_browser(
    make_clip: Make, squares, tmp_path: Path, open_page: Open, name: str, facts: dict, size: tuple
) -> None:
    clip = make_clip(name, **{"count": 12, "size": (160, 240)} | facts)
    with (
        detect_video(squares, clip) as stream,
        ClipWriter(tmp_path / "seen.mp4", clip=stream.clip) as writer,
    ):
        for frame in stream:
            writer.write(frame.draw(), frame.time)
    content = b64encode((tmp_path / "seen.mp4").read_bytes()).decode()  # a page may read its pixels
    page = open_page(PAGE.format(content))
    shown = page.evaluate(PLAY, list(color_of(0)))
    assert (shown["height"], shown["width"]) == size
    assert shown["duration"] == pytest.approx(12 / 25, abs=0.05)
    assert shown["moved"] > 0.2
    assert (shown["heard"] > 0) == ("sound" in facts)
    assert shown["drawn"] > 60
