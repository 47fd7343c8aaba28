"""`torch.export` programs as engines: as they are, and compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.contract.session import Session
from zoo.detectors.engine_request import EngineRequest

_COMPILING: dict[str, Any] = {
    "compile_threads": 1
}  # its pool of threads would stay for as long as the process


def start(file: Path, request: EngineRequest) -> Session:
    """Reads a program."""
    return _ProgramSession(_module(file, request))


def start_compiled(file: Path, request: EngineRequest) -> Session:
    """Reads a program, in channels-last, and compiles it when it is first run."""
    module = _module(file, request).to(memory_format=torch.channels_last)
    compiled = torch.compile(module, dynamic=True, options=_COMPILING)
    return _ProgramSession(compiled, channels_last=True)


def _module(file: Path, request: EngineRequest) -> torch.nn.Module:
    program = torch.export.load(file)
    module: torch.nn.Module = program.module()
    return module.to(request.device)


class _ProgramSession:
    def __init__(self, module: Callable[..., Any], *, channels_last: bool = False) -> None:
        self.version: str = str(torch.__version__)
        self._module = module
        self._layout = torch.channels_last if channels_last else torch.contiguous_format

    def __call__(self, inputs: Mapping[str, Tensor]) -> Sequence[Tensor]:
        pixels, *extras = inputs.values()
        with torch.inference_mode():
            return list(self._module(pixels.contiguous(memory_format=self._layout), *extras))
