"""Pytrees: outputs that torch can flatten, so that networks are exported, compiled and distributed.

A pytree is made of leaves (tensors, numbers, flags) in lists, tuples, dicts and registered classes.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass

import torch
import torch.export

Class = typing.TypeVar("Class")


@typing.dataclass_transform(frozen_default=True)
def pytree_dataclass(cls: type[Class]) -> type[Class]:
    """A frozen dataclass that torch knows as a pytree: what a `forward` returns.

    Its fields are tensors, whole numbers, flags, and lists, tuples and dicts of those. A field that
    is None has no leaves.
    """
    frozen = dataclass(frozen=True)(cls)
    name = f"{cls.__module__}.{cls.__qualname__}"
    torch.export.register_dataclass(frozen, serialized_type_name=name)
    return frozen


def is_exporting() -> bool:
    """Whether `torch.export` is tracing."""
    return torch.compiler.is_exporting()
