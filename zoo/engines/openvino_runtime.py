"""OpenVINO as an engine, in float32: by default it computes in bfloat16 on some processors, which
changes scores by up to 0.46."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.contract.session import Session
from zoo.detectors.engine_request import EngineRequest
from zoo.engines.lanes import threads
from zoo.errors import UsageError
from zoo.extras import optional

_REPORTER = "openvino_telemetry"


def library() -> Any:
    """The library, imported without its telemetry, which would start at import.

    Raises: MissingExtra.
    """
    if _REPORTER in sys.modules:
        return optional("openvino", wanted_for="The engine openvino")
    sys.modules[_REPORTER] = None  # type: ignore[assignment]  # as if it was not installed
    try:
        return optional("openvino", wanted_for="The engine openvino")
    finally:
        del sys.modules[_REPORTER]


def start(file: Path, request: EngineRequest) -> Session:
    """Compiles a graph for the CPU, in float32."""
    if request.device.type != "cpu":
        raise UsageError(
            f"The engine openvino can't run on '{request.device}'.",
            "It only runs on the CPU.",
            "Leave the device out.",
        )
    module = library()
    core = module.Core()
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": request.threads or threads(),
        "ENABLE_CPU_PINNING": False,
    }
    if request.lanes > 1:
        settings |= {"PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": request.lanes}
    return _OpenvinoSession(module, core.compile_model(core.read_model(file), "CPU", settings))


class _OpenvinoSession:
    def __init__(self, library: Any, compiled: Any) -> None:
        self.version: str = library.__version__.partition("-")[0]
        self._compiled = compiled
        # Its binding imports NumPy at the first array; threads that do so together deadlock.
        library.Tensor(np.zeros(1, np.float32))

    def __call__(self, inputs: Mapping[str, Tensor]) -> Sequence[Tensor]:
        request = self._compiled.create_infer_request()  # its own, as threads may share the graph
        arrays = {name: tensor.numpy() for name, tensor in inputs.items()}
        outputs = request.infer(arrays, share_inputs=True)
        return [torch.from_numpy(outputs[port].copy()) for port in self._compiled.outputs]
