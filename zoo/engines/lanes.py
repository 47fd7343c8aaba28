"""Lanes: threads that run the images of a batch through a graph side by side, one per core.

Cores then wait for each other once per batch instead of after every layer, and the activations of
an image stay in their caches. YOLOX-Nano with ONNX Runtime took 15.1 ms of processor time per image
in lanes, 18.1 on two threads image by image, and 23.5 on two threads in batches of 8; with OpenVINO
22.9, 27.2 and 26.6 (medians of five interleaved rounds of the process's own time, on two cores that
other processes used too).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from zoo import environment
from zoo.contract.session import Session
from zoo.detectors.engine_request import EngineRequest

MAX_LANES = 16
THREAD_NAME = "zoo-lane"  # of each thread


def threads() -> int:
    """The default number of threads of an engine: one per core that this process may use, and at
    most torch's."""
    return min(environment.cores(), torch.get_num_threads())


def lanes_for(request: EngineRequest) -> int:
    """How many images run side by side: one per thread; 0 if the device is not a CPU."""
    return min(MAX_LANES, request.threads or threads()) if request.device.type == "cpu" else 0


class Lanes:
    """Threads that run one graph side by side.

    count: number of threads. start: starts the graph for them, on first use.
    """

    def __init__(self, count: int, start: Callable[[], Session]) -> None:
        self.count = count
        self._start = start
        self._starting = threading.Lock()
        self._session: Session | None = None

    def __call__(self, parts: Sequence[Mapping[str, Tensor]]) -> list[Sequence[Tensor]]:
        """The outputs for each part of a batch, in order; no thread outlives the call."""
        session = self._ensure_started()
        with ThreadPoolExecutor(self.count, thread_name_prefix=THREAD_NAME) as pool:
            return list(pool.map(lambda part: session(contiguous(part)), parts))

    def _ensure_started(self) -> Session:
        """The session, started by the first caller."""
        with self._starting:
            self._session = self._session or self._start()
            return self._session

    def worth(self, parts: int) -> bool:
        """Whether that many parts finish sooner side by side than in turn on all threads."""
        return 1 < self.count < 2 * parts


def contiguous(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inputs of a graph, contiguous; NumPy copies them, as torch would start its own threads in
    every lane."""
    return {name: _contiguous(tensor) for name, tensor in inputs.items()}


def _contiguous(tensor: Tensor) -> Tensor:
    if tensor.is_contiguous() or not tensor.is_cpu or tensor.dtype is torch.bfloat16:
        return tensor.contiguous()
    return torch.from_numpy(np.ascontiguousarray(tensor.numpy()))


def split(inputs: Mapping[str, Tensor], size: int) -> list[dict[str, Tensor]]:
    """The inputs of a graph in parts of `size` images."""
    columns = {name: torch.split(tensor, size) for name, tensor in inputs.items()}
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def joined(parts: Sequence[Sequence[Tensor]], by_image: Sequence[bool]) -> list[Tensor]:
    """The outputs of all parts, concatenated. by_image: whether an output has a row per image; the
    others are the same in all parts."""
    return [
        torch.cat(values) if has_rows else values[0]
        for values, has_rows in zip(zip(*parts, strict=True), by_image, strict=True)
    ]
