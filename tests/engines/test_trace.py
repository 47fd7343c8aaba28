"""A detector as an exporter takes it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from zoo.detectors import Detector
from zoo.engines.card import choice_of
from zoo.engines.trace import Example, varies, version_of


@pytest.fixture
def example(pico: Detector, scene: Tensor) -> Example:
    return Example.of(pico, scene, 2)


def test_a_trace_returns_what_the_detector_does(pico: Detector, example: Example) -> None:
    trace = example.trace(dynamic_batch=True)
    assert (trace.names, trace.outputs, trace.per_image) == (("pixels",), ["values"], ["values"])
    with torch.inference_mode():
        (values,) = trace.network(*trace.inputs)
    assert torch.allclose(values, example.outputs.values, atol=1e-4)
    assert trace.inputs[0].shape == (2, 3, 320, 320)


def test_what_is_open_is_said_for_both_exporters(example: Example) -> None:
    auto = torch.export.Dim.AUTO
    trace = example.trace(dynamic_batch=True)
    assert trace.shapes() == {"pixels": {0: auto}}
    assert trace.axes() == {"pixels": {0: "batch"}, "values": {0: "batch"}}
    fixed = example.trace(dynamic_batch=False)
    assert (fixed.shapes(), fixed.axes()) == (None, {})


def test_facts_say_what_the_file_needs(pico: Detector, example: Example) -> None:
    facts = example.facts(choice_of(pico), format="onnx", exporter="legacy", dynamic_batch=False)
    assert (facts.input.batch, facts.input.size) == (2, (320, 320))
    assert not facts.input.dynamic_size
    assert facts.precision == "float32"
    assert facts.versions["torch"] == version_of("torch")
    assert facts.labels == list(pico.label_space.names)


def test_a_letterbox_has_one_size_and_a_shortest_edge_has_many(pico: Detector) -> None:
    assert not varies(pico)


def test_a_distribution_that_is_not_there_has_no_version() -> None:
    assert version_of("no-such-distribution") is None
