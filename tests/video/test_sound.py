"""Sound is copied up to the frame that is written, so that both lie together in the file."""

from collections.abc import Callable
from pathlib import Path

import av

from zoo.video.clip import Clip
from zoo.video.sound import Sound


def test_sound_is_copied_as_far_as_asked(make_clip: Callable[..., Path], tmp_path: Path) -> None:
    path = make_clip("a.mp4", count=50, sound=True)
    with av.open(str(tmp_path / "b.mkv"), "w") as output:
        sound = Sound(Clip(source=str(path)), output, start=0.5, end=1.5)
        assert sound.left_out == []
        sound.copy_until(1.0)
        sound.copy_until(9.0)
        sound.close()
    with av.open(str(tmp_path / "b.mkv")) as container:
        times = [
            float(packet.pts * packet.time_base) for packet in container.demux() if packet.size
        ]
    assert -0.03 < times[0] < 0.01
    assert 0.95 < times[-1] < 1.0
