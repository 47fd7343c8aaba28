"""`make demo` renders, detects, measures and ranks, without a network."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import av
import pytest

DEMO = Path(__file__).parent.parent / "docs" / "demo.py"


@pytest.mark.slow
def test_the_demo_finds_what_it_renders_and_ranks_it(
    tmp_path: Path,
    warm: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    spec = spec_from_file_location("demo", DEMO)
    assert spec is not None
    assert spec.loader is not None
    demo = module_from_spec(spec)
    spec.loader.exec_module(demo)
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    monkeypatch.setattr(demo, "SCENES", 4)
    monkeypatch.setattr(demo, "ZOO", [warm])
    for name in ("HF_ENDPOINT", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens
    demo.main()
    out = tmp_path / demo.OUT
    images = json.loads((out / "detections.json").read_text())
    assert [len(image["detections"]) > 0 for image in images] == [True] * 4
    assert len(list((out / "annotated").glob("*.png"))) == 4
    with av.open(str(out / "clip.mp4")) as clip:
        assert sum(1 for _ in clip.decode(video=0)) == demo.FRAMES
    assert (out / "site" / "index.html").is_file()
    said = capfd.readouterr()
    assert all(name in said.out for name in demo.MODELS)
    board = (out / "site" / "index.html").read_text()
    assert all(name in board for name in demo.MODELS)
    assert "Look at the annotated images" in said.out
    assert f"Play {demo.OUT / 'clip.mp4'}." in said.out
    assert "Traceback" not in said.err + said.out
