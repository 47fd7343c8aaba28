"""The embedded detector, exported once for all tests here."""

from __future__ import annotations

import pytest
from torch import Tensor

import zoo
from zoo.detectors import Detector
from zoo.engines import Engine, Exported
from zoo.engines.scenes import scenes


@pytest.fixture(scope="session")
def pico() -> Detector:
    """The detector itself, in torch."""
    return zoo.load("yolox_pico")


@pytest.fixture(scope="session")
def pico_onnx(pico: Detector, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The detector as ONNX, by the exporter that takes less time."""
    pytest.importorskip("onnxruntime")
    to = tmp_path_factory.mktemp("exported") / "pico.onnx"
    return zoo.export(pico, to=to, exporter="legacy")


@pytest.fixture
def engine(pico_onnx: Exported) -> Engine:
    """The exported file, loaded."""
    loaded = zoo.load(f"file:{pico_onnx.path}", engine="onnxruntime")
    assert isinstance(loaded, Engine)
    return loaded


@pytest.fixture
def scene() -> Tensor:
    """A rendered scene with shapes in it."""
    return scenes()[0]
