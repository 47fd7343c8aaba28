"""`auto` takes the fastest that agrees, and remembers it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import zoo
from zoo.detectors import Detector
from zoo.engines import Engine, Exported, auto
from zoo.engines import cache as caches
from zoo.environment import home
from zoo.errors import MissingExtra


@pytest.fixture
def _kept(pico_onnx: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    def copied(_: object, *, to: Path, **__: object) -> None:
        to.parent.mkdir(parents=True)
        to.write_bytes(pico_onnx.path.read_bytes())

    monkeypatch.setattr(caches, "export", copied)


@pytest.mark.usefixtures("_kept")
@pytest.mark.parametrize("fastest", ["onnxruntime", "torch"])
def test_the_fastest_is_taken_and_remembered(fastest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def timed(able: dict[str, object]) -> dict[str, float]:
        asked.append(sorted(able))
        return {name: 1.0 if name == fastest else 2.0 for name in able}

    monkeypatch.setattr(auto, "timed", timed)
    for _ in range(2):
        model = zoo.load("yolox_pico", engine="auto")
        assert isinstance(model, Detector if fastest == "torch" else Engine)
    assert len(asked) == 1
    assert {"onnxruntime", "torch"} <= set(asked[0])


def test_an_exported_file_takes_the_first_engine_that_reads_it(pico_onnx: Exported) -> None:
    model = zoo.load(f"file:{pico_onnx.path}", engine="auto")
    assert model.engine == "onnxruntime"


def test_where_none_is_installed_the_pip_line_is_said(
    pico_onnx: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> None:
        raise MissingExtra("The engine can't be had.", "It is not installed.", "pip install it")

    monkeypatch.setattr("zoo.engines.onnx_runtime.library", absent)
    monkeypatch.setattr("zoo.engines.openvino_runtime.library", absent)
    with pytest.raises(MissingExtra, match="pip install"):
        zoo.load(f"file:{pico_onnx.path}")


@pytest.mark.slow
@pytest.mark.usefixtures("_kept")
def test_what_is_taken_was_timed_on_this_machine() -> None:
    pytest.importorskip("onnxruntime")
    model = zoo.load("yolox_pico", engine="auto")
    (file,) = (home() / "engines").glob("*/auto.json")
    facts = json.loads(file.read_text())
    assert {"onnxruntime", "torch"} <= set(facts["seconds"])
    assert all(0 < seconds < 60 for seconds in facts["seconds"].values())
    fastest = min(facts["seconds"], key=lambda name: facts["seconds"][name])
    assert facts["engine"] == fastest == (model.engine or "torch")
