"""Layers of an ONNX file in int8."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

import zoo
from zoo.detectors import Detector
from zoo.engines import Engine, Exported
from zoo.engines.card import choice_of
from zoo.engines.draft import Draft
from zoo.engines.formats import label_onnx
from zoo.engines.quantizer import Quantizer, layers_of
from zoo.engines.scenes import scenes
from zoo.engines.sensitivity import detect, loss
from zoo.registry.exported import read_facts

onnx: Any = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def quantizer(
    pico_onnx: Exported, pico: Detector, tmp_path_factory: pytest.TempPathFactory
) -> Quantizer:
    """The embedded detector, calibrated on one scene."""
    pixels = pico.preprocess([scenes()[0]]).pixels.numpy()
    return Quantizer(pico_onnx.path, tmp_path_factory.mktemp("int8"), [{"pixels": pixels}])


def operations(file: Path) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(file).graph.node)


def test_a_layer_is_a_product_with_what_follows(quantizer: Quantizer) -> None:
    layers = quantizer.layers
    assert len({layer.name for layer in layers}) == len(layers) > 20
    assert sum(not layer.followers for layer in layers) == 9  # the predictions: 3 levels, 3 kinds
    assert all("Conv" in layer.name for layer in layers)


def test_only_the_layers_that_are_named_are_in_int8(quantizer: Quantizer, tmp_path: Path) -> None:
    file = quantizer.write(tmp_path / "one.onnx", quantizer.layers[2:3])
    weights = [
        tensor
        for tensor in onnx.load(file).graph.initializer
        if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) == 4
    ]
    assert len(weights) == 1
    assert operations(file)["QuantizeLinear"] < 8


def test_the_file_is_smaller_and_finds_nearly_the_same(
    quantizer: Quantizer, engine: Engine, pico: Detector, pico_onnx: Exported, tmp_path: Path
) -> None:
    file = quantizer.write(tmp_path / "int8.onnx", quantizer.layers[5:-12])
    assert file.stat().st_size < 0.7 * pico_onnx.path.stat().st_size
    draft = Draft(
        detector=pico, choice=choice_of(pico), format="onnx", images=(), say=lambda _: None
    )
    quantised = draft.engine(file, read_facts(pico_onnx.path), threads=1)
    images = scenes()[:2]
    lost = loss(detect(engine, images), detect(quantised, images))
    assert 0 < lost < 0.5
    label_onnx(file, structs.replace(read_facts(pico_onnx.path), precision="int8"))
    pytest.importorskip("openvino")
    other = zoo.load(f"file:{file}", engine="openvino,threads=1")
    assert isinstance(other, Engine)
    assert 0 < loss(detect(engine, images), detect(other, images)) < 0.5


def test_what_no_product_reads_any_more_stays_in_float32() -> None:
    nodes = [
        onnx.helper.make_node("Conv", ["x", "w"], ["y"], "first"),
        onnx.helper.make_node("Relu", ["y"], ["z"], "relu"),
        onnx.helper.make_node("Conv", ["z", "w"], ["p"], "second"),
        onnx.helper.make_node("Sigmoid", ["p"], ["q"], "sigmoid"),
    ]
    weights = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [1, 1, 1, 1], [1.0])
    graph = onnx.helper.make_graph(nodes, "graph", [], [], [weights])
    first, second = layers_of(onnx.helper.make_model(graph))
    assert (first.name, first.followers) == ("first", ("relu",))
    assert (second.name, second.followers) == ("second", ())
