"""`make demo` prints lines that can be repeated."""

import os
import shlex
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image
from safetensors.torch import save_file

import zoo

DEMO = Path(__file__).parent.parent / "docs" / "demo.py"


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The demonstration on made-up images and weights, which runs no command."""
    spec = spec_from_file_location("demo", DEMO)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "IMAGES", tmp_path)
    monkeypatch.setattr(module, "WEIGHTS", tmp_path / "nano.safetensors")
    monkeypatch.setattr(module, "zoo", lambda *_, **__: None)
    for name in module.SHOWN:
        Image.new("RGB", (64, 64)).save(tmp_path / f"{name}.jpg")
    save_file(zoo.load("yolox_nano", weights=False).state_dict(), module.WEIGHTS)
    return module


@pytest.mark.slow
def test_the_demo_prints_lines_that_work_once_its_hub_has_ended(
    demo: ModuleType,
    capsys: pytest.CaptureFixture[str],
) -> None:
    demo.with_real_weights()
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("$ zoo ")]
    assert [shlex.split(line)[2] for line in lines] == ["detect", "evaluate"]
    assert not any("hub:" in line for line in lines)
    command = [sys.executable, "-m", "zoo", *shlex.split(lines[0])[2:]]
    done = subprocess.run(command, cwd=demo.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(os.listdir(demo.ROOT / demo.OUT / "annotated")) == len(demo.SHOWN)
