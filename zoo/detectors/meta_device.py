"""Networks without weights: built on the meta device, where nothing is drawn that would be thrown
away."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

# All that torch's layers begin their weights with; each returns the tensor it was given.
_DRAWN = {
    *(Tensor.normal_, Tensor.uniform_, Tensor.fill_, Tensor.zero_),
    *(nn.init.normal_, nn.init.uniform_, nn.init.constant_, nn.init.kaiming_uniform_),
}


@contextmanager
def on_meta_device() -> Iterator[None]:
    """Modules built inside have shapes and no content."""
    with torch.device("meta"), _Undrawn():
        yield


@contextmanager
def uncollected() -> Iterator[None]:
    """Puts off the collection of garbage: a network is many objects and none of them garbage, and
    looking takes longer."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _Undrawn(TorchFunctionMode):
    """Leaves meta tensors as they are where they would be filled: torch follows that in Python, and
    it takes time."""

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        if func in _DRAWN:
            tensor = args[0] if args else (kwargs or {}).get("tensor")
            if isinstance(tensor, Tensor) and tensor.is_meta:
                return tensor
        return func(*args, **(kwargs or {}))
