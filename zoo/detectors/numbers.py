"""The numbers in a checkpoint: of types that a network computes with, and finite."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from math import isfinite

import torch
from torch import Tensor

from zoo.errors import CheckpointError
from zoo.text import is_are, pluralize

log = logging.getLogger("zoo")

SHOWN = 100  # letters of a tensor's name
# Types to store numbers in, not to compute with; and those of quantised weights, which mean nothing
# without their scales.
STORED = {torch.float8_e4m3fn, torch.float8_e4m3fnuz, torch.float8_e5m2, torch.float8_e5m2fnuz}
QUANTISED = {torch.int8, torch.uint8, torch.bool}


def widened(state: Mapping[str, Tensor], *, asked: str) -> dict[str, Tensor]:
    """The tensors with float8 ones as float32, which is exact."""
    narrow = [name for name, tensor in state.items() if tensor.dtype in STORED]
    if narrow:
        log.warning("%s %s of float8 became float32.", asked, pluralize(len(narrow), "tensor"))
    return {
        name: tensor.float() if tensor.dtype in STORED else tensor for name, tensor in state.items()
    }


def converted(name: str, tensor: Tensor, dtype: torch.dtype, *, asked: str) -> Tensor:
    """A tensor as the network has it. Raises: CheckpointError where its numbers would become other
    ones."""
    if tensor.dtype == dtype:
        return tensor
    quantised = dtype.is_floating_point and tensor.dtype in QUANTISED
    if quantised or tensor.is_complex() != dtype.is_complex:
        types = f"{_named(tensor.dtype)} numbers, and the model has {_named(dtype)} there"
        raise CheckpointError(
            asked,
            f"The tensor '{name[:SHOWN]}' holds {types}.",
            "Give the weights as they were before they were quantised or packed.",
        )
    return tensor.to(dtype)


def check_finite(state: Mapping[str, Tensor], *, asked: str) -> None:
    """Raises: CheckpointError naming the first tensor with a NaN or an infinity: a network with one
    of them sees nothing."""
    for name, tensor in state.items():
        if tensor.is_floating_point() and tensor.numel() and not _is_finite(tensor):
            odd = int((~tensor.isfinite()).sum())
            raise CheckpointError(
                asked,
                f"Of the tensor '{name[:SHOWN]}', {pluralize(odd, 'number')} {is_are(odd)} not "
                f"finite.",
                "The training that made it has diverged: use an earlier checkpoint.",
            )


def _is_finite(tensor: Tensor) -> bool:
    """Whether all of a tensor is finite, read once: a NaN goes through to the extremes, and an
    infinity is one."""
    low, high = torch.aminmax(tensor)
    return isfinite(low.item()) and isfinite(high.item())


def _named(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
