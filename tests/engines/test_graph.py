"""A model by name and engine is exported once, and its engine is held against torch once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import zoo
from zoo.engines import Engine, Exported
from zoo.engines import cache as caches
from zoo.engines import graph as module
from zoo.environment import home
from zoo.errors import NameNotFound, UsageError
from zoo.registry import reload
from zoo.testing import CHECKS, Model, run

GUIDE = Path(__file__).parents[2] / "docs" / "howto" / "export.md"


@pytest.fixture
def exports(pico_onnx: Exported, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The places that were exported to; the file is the one that is there already."""
    places: list[Path] = []

    def copied(_: object, *, to: Path, **__: object) -> None:
        places.append(to)
        to.parent.mkdir(parents=True)
        to.write_bytes(pico_onnx.path.read_bytes())

    monkeypatch.setattr(caches, "export", copied)
    return places


def test_a_model_is_exported_and_compared_once(
    exports: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = zoo.load("yolox_pico", engine="onnxruntime,threads=1")
    assert isinstance(first, Engine)
    assert exports == [first.file]
    assert first.file.is_relative_to(home() / "engines")
    monkeypatch.setattr(module, "measure", lambda *_, **__: pytest.fail("compared again"))
    assert isinstance(zoo.load("yolox_pico", engine="onnxruntime"), Engine)
    assert len(exports) == 1


def test_the_engine_of_the_guide_keeps_what_is_promised(
    exports: list[Path],
    give_plugin: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    section = GUIDE.read_text().partition("## Add an engine")[2]
    engine, plugin = (block.partition("```")[0] for block in section.split("```python")[1:3])
    give_plugin("acme", plugin)
    (tmp_path / "site" / "detzoo_acme_engine.py").write_text(engine)
    monkeypatch.setitem(sys.modules, "detzoo_acme_engine", None)  # so that it is put away again
    monkeypatch.delitem(sys.modules, "detzoo_acme_engine")
    reload()
    model = Model.named("yolox_pico", engine="acme")
    outcomes = list(run(model, only=[check for check in CHECKS if check.startswith("engine_")]))
    assert [each.reason for each in outcomes if each.status != "passed"] == []
    assert len(outcomes) == 5
    assert len(exports) == 1


def test_random_weights_are_not_kept() -> None:
    with pytest.raises(UsageError, match="random weights"):
        zoo.load("yolox_pico", weights=False, engine="onnxruntime")


def test_a_file_of_another_format_is_refused(pico_onnx: Exported) -> None:
    with pytest.raises(UsageError, match="reads torch"):
        zoo.load(f"file:{pico_onnx.path}", engine="torch")


def test_an_engine_that_is_not_there_is_said() -> None:
    with pytest.raises(NameNotFound, match="Did you mean 'onnxruntime'"):
        zoo.load("yolox_pico", engine="onnxruntim")


def test_torch_has_no_options_of_its_own() -> None:
    assert isinstance(zoo.load("yolox_pico", engine="torch"), zoo.Detector)
    with pytest.raises(UsageError, match="one number of threads"):
        zoo.load("yolox_pico", engine="torch,threads=1")


@pytest.mark.parametrize("text", ["onnxruntime,threads=0", "onnxruntime,fast=true"])
def test_options_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"threads=COUNT and spin=true"):
        zoo.load("yolox_pico", engine=text)
