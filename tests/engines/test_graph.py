"""A model by name and engine is exported once, and its engine is held against torch once."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from torch import Tensor

import zoo
from zoo.contract.session import Session
from zoo.detectors import Detector
from zoo.detectors.engine_request import EngineRequest
from zoo.engines import Engine, Exported, onnx_runtime
from zoo.engines import cache as caches
from zoo.engines import graph as module
from zoo.engines.draft import Way
from zoo.engines.formats import label_onnx
from zoo.engines.parity import Parity
from zoo.environment import home
from zoo.errors import ExportError, NameNotFound, UsageError
from zoo.registry import reload
from zoo.registry.exported import read_facts
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

    monkeypatch.setattr(caches, "export_for_engine", copied)
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


@dataclass
class Inexact:
    """A session that computes one number too large."""

    session: Session
    version: str = "1"

    def __call__(self, inputs: Mapping[str, Tensor]) -> Sequence[Tensor]:
        (values,) = self.session(inputs)
        values = values.clone()
        values[-1, 7, 4] += 0.46
        return [values]


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The exporters whose graphs ONNX Runtime computes inexactly."""
    exact, exporters = onnx_runtime.start, {"dynamo"}

    def start(file: Path, request: EngineRequest) -> Session:
        session = exact(file, request)
        return Inexact(session) if read_facts(file).exporter in exporters else session

    monkeypatch.setattr(onnx_runtime, "start", start)
    return exporters


@pytest.fixture
def of_dynamo(pico_onnx: Exported, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The places that were exported to; the first file is one that dynamo wrote, as it says."""
    places: list[Path] = []
    export = caches.export_for_engine

    def exported(detector: Detector, *, to: Path, **options: Any) -> Exported:
        places.append(to)
        if len(places) > 1:
            return export(detector, to=to, **options)
        to.parent.mkdir(parents=True)
        shutil.copyfile(pico_onnx.path, to)
        label_onnx(to, structs.replace(read_facts(to), exporter="dynamo"))
        return pico_onnx

    monkeypatch.setattr(caches, "export_for_engine", exported)
    return places


@pytest.mark.usefixtures("wrong")
def test_an_engine_that_disagrees_gets_the_other_exporter_s_file(
    of_dynamo: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    measure = module.measure

    def counted(detector: Detector, engine: Engine, *arguments: Any, **options: Any) -> Parity:
        compared.append(engine.facts.exporter)
        return measure(detector, engine, *arguments, **options)

    monkeypatch.setattr(module, "measure", counted)
    first = zoo.load("yolox_pico", engine="onnxruntime")
    assert isinstance(first, Engine)
    shared, own = of_dynamo
    assert own == shared.parent / "onnxruntime" / "model.onnx"
    assert (first.file, first.facts.exporter) == (own, "legacy")
    again = zoo.load("yolox_pico", engine="onnxruntime")
    assert isinstance(again, Engine)
    assert again.file == own
    assert len(of_dynamo) == 2
    assert compared == ["dynamo", "legacy"]


def test_an_engine_that_agrees_in_no_way_says_so_of_each(
    of_dynamo: list[Path], wrong: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong.add("legacy")
    dynamic = Way("legacy", None)
    monkeypatch.setattr(module, "ways_after", lambda *_: [dynamic])  # one is enough here
    with pytest.raises(ExportError) as caught:
        zoo.load("yolox_pico", engine="onnxruntime")
    assert caught.value.failure == "The engine onnxruntime can't run 'yolox_pico.shapes'."
    first, second = caught.value.case.splitlines()
    assert first.startswith("dynamo, batch dynamic: Its output 'values' differs")
    assert second.startswith("legacy, batch dynamic: Its output 'values' differs")
    assert caught.value.fix == "Choose another engine: engine='torch'"
    assert caught.value.fix_cli == "Choose another engine: --engine torch"
    assert not of_dynamo[1].exists()


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
