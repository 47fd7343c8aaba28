"""Builders of the zoo's own engines, registered by `zoo.registry.builtin`."""

from __future__ import annotations

from zoo.detectors.engine_request import EngineRequest
from zoo.engines import onnx_runtime, openvino_runtime, torch_program
from zoo.engines.engine import Engine
from zoo.engines.graph import graph_engine


def onnxruntime(request: EngineRequest) -> Engine:
    """ONNX Runtime. Raises: MissingExtra if it is not installed."""
    onnx_runtime.library()
    return graph_engine(request, onnx_runtime.start, formats=("onnx",), lanes=True)


def openvino(request: EngineRequest) -> Engine:
    """OpenVINO, in float32. Raises: MissingExtra if it is not installed."""
    openvino_runtime.library()
    return graph_engine(request, openvino_runtime.start, formats=("onnx", "openvino"), lanes=True)


def torch(request: EngineRequest) -> Engine:
    """A `torch.export` program, not compiled."""
    return graph_engine(request, torch_program.start, formats=("torch",))


def compiled(request: EngineRequest) -> Engine:
    """A `torch.export` program, compiled: the first batch takes a minute or more."""
    return graph_engine(request, torch_program.start_compiled, formats=("torch",))
