"""ONNX Runtime as an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.contract.session import Session
from zoo.detectors.engine_request import EngineRequest
from zoo.engines.lanes import threads
from zoo.errors import UsageError
from zoo.extras import optional

_ERRORS = 3  # ONNX Runtime's log level for errors, of 0 to 4


def library() -> Any:
    """The library. Raises: MissingExtra."""
    return optional("onnxruntime", wanted_for="The engine onnxruntime", extra="onnx")


def start(file: Path, request: EngineRequest) -> Session:
    """Starts a session whose idle threads sleep, unless the request lets them spin."""
    runtime = library()
    options = runtime.SessionOptions()
    options.log_severity_level = _ERRORS
    # The threads of lanes compute too, so the session needs fewer of its own.
    options.intra_op_num_threads = (request.threads or threads()) - request.lanes + 1
    options.inter_op_num_threads = 1
    for pool in ("intra_op", "inter_op"):
        options.add_session_config_entry(f"session.{pool}.allow_spinning", str(int(request.spin)))
    provider = _provider(runtime, request.device)
    return _OnnxSession(runtime, runtime.InferenceSession(file, options, providers=[provider]))


def _provider(runtime: Any, device: torch.device) -> str:
    """The execution provider for that device. Raises: UsageError if this build has none."""
    provider = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}.get(device.type)
    if provider and provider in runtime.get_available_providers():
        return provider
    raise UsageError(
        f"The engine onnxruntime can't run on '{device}'.",
        f"This build of ONNX Runtime has {', '.join(runtime.get_available_providers())}.",
        "Leave the device out, or install a build for it, such as onnxruntime-gpu.",
    )


class _OnnxSession:
    def __init__(self, runtime: Any, session: Any) -> None:
        self.version: str = runtime.__version__
        self._session = session

    def __call__(self, inputs: Mapping[str, Tensor]) -> Sequence[Tensor]:
        arrays = {name: tensor.cpu().numpy() for name, tensor in inputs.items()}
        return [torch.from_numpy(array) for array in self._session.run(None, arrays)]
