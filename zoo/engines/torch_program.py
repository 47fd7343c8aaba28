"""`torch.export` programs as engines, plain or compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.contract.session import Session
from zoo.detectors.engine_request import EngineRequest

# A pool of compile threads would live as long as the process.
_COMPILE_OPTIONS: dict[str, Any] = {"compile_threads": 1}


def start(file: Path, request: EngineRequest) -> Session:
    """Reads a program."""
    return _ProgramSession(_module(file, request))


def start_compiled(file: Path, request: EngineRequest) -> Session:
    """Reads a program in channels-last, which is compiled at its first run."""
    module = _module(file, request).to(memory_format=torch.channels_last)
    compiled = torch.compile(module, dynamic=True, options=_COMPILE_OPTIONS)
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
