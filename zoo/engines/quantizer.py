"""Writes a float32 ONNX file with any of its layers in int8, after one calibration.

A layer is a convolution or matrix product with the nodes up to the next ones: its activation, and
nodes that join branches. Weights are int8 per output channel, activations uint8 per tensor, with
the ranges on calibration images (99.999 % of each). The nodes behind the last layers, where boxes
and scores meet in one tensor, stay in float32.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.engines.formats import quiet
from zoo.extras import optional

PERCENTILE = 99.999
PRODUCTS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
# Nodes that follow a product and have int8 kernels.
FOLLOWERS = frozenset(
    {"Add", "AveragePool", "Concat", "LeakyRelu", "MaxPool", "Mul", "Relu", "Resize", "Sigmoid"}
)


@dataclass(frozen=True)
class Layer:
    """A product by its node's name, and the names of the nodes that follow it."""

    name: str
    followers: tuple[str, ...]


class Quantizer:
    """The layers of a file, and the ranges of their tensors on calibration images.

    file:   ONNX in float32. folder: for intermediate files.
    inputs: of the graph by name, image by image.
    """

    def __init__(
        self, file: Path, folder: Path, inputs: Iterable[Mapping[str, np.ndarray[Any, Any]]]
    ) -> None:
        self._library: Any = optional(
            "onnxruntime.quantization", wanted_for="An INT8 file", extra="onnx"
        )
        self._onnx: Any = optional("onnx", wanted_for="An INT8 file")
        self._file = folder / "simplified.onnx"
        with quiet():
            shape = optional("onnxruntime.quantization.shape_inference", wanted_for="An INT8 file")
            shape.quant_pre_process(file, self._file, skip_symbolic_shape=True)
            self._ranges = self._calibrate(folder / "calibrated.onnx", inputs)
        self.layers = layers_of(self._onnx.load(self._file))

    def _calibrate(
        self, augmented: Path, inputs: Iterable[Mapping[str, np.ndarray[Any, Any]]]
    ) -> Any:
        calibrate: Any = optional("onnxruntime.quantization.calibrate", wanted_for="An INT8 file")
        calibrator = calibrate.create_calibrator(
            self._file,
            sorted(PRODUCTS | FOLLOWERS),
            augmented_model_path=str(augmented),
            calibrate_method=calibrate.CalibrationMethod.Percentile,
            extra_options={"percentile": PERCENTILE, "symmetric": False},
        )
        for each in inputs:
            calibrator.collect_data(_Reader(each))
        return calibrator.compute_data()

    def write(self, to: Path, layers: Sequence[Layer]) -> Path:
        """Writes the file with these layers, at least one, in int8."""
        qdq: Any = optional("onnxruntime.quantization.qdq_quantizer", wanted_for="An INT8 file")
        kind = self._library.QuantType
        nodes = [name for layer in layers for name in (layer.name, *layer.followers)]
        with quiet():
            quantizer = qdq.QDQQuantizer(
                self._onnx.load(self._file),
                True,  # per channel
                False,  # all eight bits
                kind.QInt8,
                kind.QUInt8,
                self._ranges,
                nodes,
                [],
                sorted(PRODUCTS | FOLLOWERS),
                {},
            )
            quantizer.quantize_model()
            quantizer.model.save_model_to_file(to, False)
        return to


class _Reader:
    """The inputs of one image, as a data reader of ONNX Runtime."""

    def __init__(self, inputs: Mapping[str, np.ndarray[Any, Any]]) -> None:
        self._left = [dict(inputs)]

    def get_next(self) -> dict[str, np.ndarray[Any, Any]] | None:
        """The inputs at the first call, then None."""
        return self._left.pop() if self._left else None


def layers_of(model: Any) -> list[Layer]:
    """The layers of an ONNX model that have weights, in its order."""
    weights = {tensor.name: tensor.dims for tensor in model.graph.initializer}
    owner: dict[str, str] = {}  # name of a tensor -> name of its layer's product
    followers: dict[str, list[str]] = {}
    for node in model.graph.node:
        if node.op_type in PRODUCTS and any(name in weights for name in node.input):
            followers[node.name] = []
            owner |= dict.fromkeys(node.output, node.name)
            continue
        before = [owner[name] for name in node.input if name in owner]
        if not before:
            continue
        owner |= dict.fromkeys(node.output, before[-1])
        if node.op_type in FOLLOWERS:
            followers[before[-1]].append(node.name)
    used = _before_products(model, followers)
    return [
        Layer(name, tuple(each for each in names if each in used))
        for name, names in followers.items()
    ]


def _before_products(model: Any, products: Collection[str]) -> set[str]:
    """The names of the nodes whose results a product reads, directly or through others."""
    needed: set[str] = set()
    used: set[str] = set()
    for node in reversed(model.graph.node):
        reads = any(name in needed for name in node.output)
        if reads:
            used.add(node.name)
        if reads or node.name in products:
            needed |= set(node.input)
    return used
