"""Exports are kept by weights, architecture, input, classes and what wrote them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

import zoo
from zoo.detectors import Detector
from zoo.detectors.engine_request import EngineRequest
from zoo.engines import Engine, cache
from zoo.engines.card import choice_of, request_for
from zoo.engines.parity import Parity
from zoo.errors import CacheError


@pytest.fixture
def request_(pico: Detector) -> EngineRequest:
    return request_for(pico, choice_of(pico), "onnxruntime")


def test_another_architecture_or_input_is_another_key(request_: EngineRequest) -> None:
    resolved = request_.resolved
    entry = resolved.choice.entry
    small = structs.replace(entry.card, arguments={**entry.card.arguments, "size": 64})
    choice = replace(resolved.choice, entry=replace(entry, card=small))
    other = replace(request_, resolved=replace(resolved, choice=choice))
    assert cache.key_of(request_, "onnx") == cache.key_of(request_, "onnx")
    keys = {cache.key_of(request_, "onnx"), cache.key_of(other, "onnx")}
    assert len(keys | {cache.key_of(request_, "torch")}) == 3


def test_an_agreement_is_remembered_for_the_engine_s_version(
    engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "model.onnx"
    assert not cache.has_agreed(file, engine)
    cache.note_agreed(file, engine, Parity(images=3))
    assert cache.has_agreed(file, engine)
    engine.version = "0.0"
    assert not cache.has_agreed(file, engine)


def test_where_an_agreement_can_t_be_kept_work_goes_on(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "agreed.json").mkdir()
    cache.note_agreed(tmp_path / "model.onnx", engine, Parity(images=3))
    assert "can't be remembered" in caplog.text
    assert not cache.has_agreed(tmp_path / "model.onnx", engine)


def test_a_folder_that_can_not_be_written_is_the_reason_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    home = tmp_path / "home"
    home.mkdir()
    (home / "engines").write_text("")
    monkeypatch.setenv("ZOO_HOME", str(home))
    with pytest.raises(CacheError, match=r"engines' is not a folder(.|\n)*Set ZOO_HOME to a"):
        zoo.load("yolox_pico", engine="onnxruntime")
