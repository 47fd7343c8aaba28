"""`auto` takes the fastest that agrees, and remembers it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.detectors import Detector
from zoo.engines import Engine, Exported, auto
from zoo.engines import cache as caches
from zoo.environment import home
from zoo.errors import MissingExtra
from zoo.evaluate.predictions.model_identity import model_identity


@pytest.fixture
def _kept(pico_onnx: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    def copied(_: object, *, to: Path, **__: object) -> None:
        to.parent.mkdir(parents=True)
        to.write_bytes(pico_onnx.path.read_bytes())

    monkeypatch.setattr(caches, "export_for_engine", copied)


@pytest.mark.usefixtures("_kept")
@pytest.mark.parametrize("fastest", ["onnxruntime", "torch"])
def test_the_fastest_is_taken_and_remembered(fastest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def timed(able: dict[str, object]) -> dict[str, float]:
        asked.append(sorted(able))
        return {name: 1.0 if name == fastest else 2.0 for name in able}

    monkeypatch.setattr(auto, "time_engines", timed)
    for _ in range(2):
        model = zoo.load("yolox_pico", engine="auto")
        assert isinstance(model, Detector if fastest == "torch" else Engine)
    assert len(asked) == 1
    assert {"onnxruntime", "torch"} <= set(asked[0])


@pytest.mark.usefixtures("_kept")
def test_engines_that_can_t_run_on_the_device_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def timed(able: dict[str, object]) -> dict[str, float]:
        asked.append(sorted(able))
        return dict.fromkeys(able, 1.0)

    monkeypatch.setattr(auto, "time_engines", timed)
    zoo.load("yolox_pico", engine="auto")  # what is remembered for one device is not for another
    for _ in range(2):
        model = zoo.load("yolox_pico", engine="auto", device="meta")
        assert isinstance(model, Detector)
        assert model.device.type == "meta"
    assert asked[1:] == [["torch"]]


@pytest.mark.usefixtures("_kept")
def test_where_torch_was_fastest_other_processes_are_asked_for_torch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def timed(able: dict[str, object]) -> dict[str, float]:
        return {name: 1.0 if name == "torch" else 2.0 for name in able}

    monkeypatch.setattr(auto, "time_engines", timed)
    asked: dict[str, Any] = {"weights": True, "labels": None, "classes": (), "progress": False}
    identity = model_identity("yolox_pico", device="cpu", engine="auto,threads=1", **asked)
    assert (identity.engine, identity.request) == (None, None)


def test_numbers_of_an_exported_file_say_of_which_weights_it_was_made(
    pico: Detector, pico_onnx: Exported
) -> None:
    assert pico.weights is not None
    asked: dict[str, Any] = {"weights": True, "labels": None, "classes": (), "progress": False}
    facts = model_identity(f"file:{pico_onnx.path}", device="cpu", **asked).facts
    assert facts["exported_from"] == pico.weights.sha256
    assert facts["weights_sha256"] != pico.weights.sha256


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
    (file,) = (home() / "engines").glob("*/auto-cpu.json")
    facts = json.loads(file.read_text())
    assert {"onnxruntime", "torch"} <= set(facts["seconds"])
    assert all(0 < seconds < 60 for seconds in facts["seconds"].values())
    fastest = min(facts["seconds"], key=lambda name: facts["seconds"][name])
    assert facts["engine"] == fastest == (model.engine or "torch")
