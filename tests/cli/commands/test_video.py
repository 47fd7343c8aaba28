"""`zoo video` from the shell."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

Shell = Callable[..., Any]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A clip of 300 frames, 12 seconds long."""
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast"}
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = 96, 128, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((96, 128, 3), 90, np.uint8), format="rgb24")
        for index in range(300):
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_part_of_a_clip_is_looked_at(shell: Shell, clip: Path) -> None:
    words = ("--model", "yolox_pico", "--from", "0:01", "--to", "2", "--every", "5")
    answer = shell("video", str(clip), *words)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == f"{clip}  5 frames, 0:01.0-0:01.8  nothing\n"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("none.mp4",), 6, "There is no such file."),
        (("CLIP", "--from", "x"), 2, "The time 'x' was given."),
        (("CLIP", "--from", "3", "--to", "2"), 2, "Write for example --from 10 --to 20."),
        (("CLIP", "--every", "0"), 2, "--every"),
        (("CLIP", "--save", "a.gif"), 6, "No video format has the suffix '.gif'."),
        (("CLIP", "--model", "zzz"), 3, "No model"),
    ],
)
def test_mistakes_have_their_exit_codes(
    shell: Shell, clip: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    answer = shell("video", *(str(clip) if word == "CLIP" else word for word in words))
    assert answer.code == code
    assert says in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.slow
def test_ctrl_c_leaves_a_clip_that_plays(clip: Path, tmp_path: Path) -> None:
    to = tmp_path / "out.mp4"
    command = [sys.executable, "-m", "zoo", "video", str(clip), "--model", "yolox_pico"]
    process = subprocess.Popen(
        [*command, "--save", str(to), "--batch-size", "1", "--json", "-"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    for _ in range(20):  # frames that are done
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted." in err
    assert time.monotonic() - started < 60
    with av.open(str(to)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    assert 10 <= frames < 300
