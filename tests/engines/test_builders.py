"""The zoo's engines are built by name, and say what is missing before anything is exported."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from zoo.detectors import Detector
from zoo.detectors.engine_request import EngineRequest
from zoo.engines import Engine, builders
from zoo.engines import cache as caches
from zoo.engines.card import choice_of, request_for
from zoo.errors import MissingExtra
from zoo.registry import catalogue


@pytest.fixture
def request_(pico: Detector) -> EngineRequest:
    return request_for(pico, choice_of(pico), "any")


@pytest.mark.parametrize(
    ("name", "build"),
    [
        ("onnxruntime", builders.onnxruntime),
        ("openvino", builders.openvino),
        ("torch", builders.torch),
        ("compile", builders.compiled),
    ],
)
def test_a_name_is_registered_for_each(name: str, build: Callable[[EngineRequest], Engine]) -> None:
    registered = catalogue().builder("engines", name)
    assert (registered.__module__, registered.__name__) == (build.__module__, build.__name__)


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_what_is_not_installed_is_said_before_an_export(
    name: str, request_: EngineRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> None:
        raise MissingExtra("The engine can't be had.", "It is not installed.", "pip install it")

    module = {"onnxruntime": "onnx_runtime", "openvino": "openvino_runtime"}[name]
    monkeypatch.setattr(f"zoo.engines.{module}.library", absent)
    monkeypatch.setattr(
        caches, "export_for_engine", lambda *_, **__: pytest.fail("it was exported")
    )
    with pytest.raises(MissingExtra, match="pip install it"):
        catalogue().builder("engines", name)(request_)
