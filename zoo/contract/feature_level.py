"""FeatureLevel: channels and stride of a feature map, the whole contract between parts.

A part that gives maps is a module with `levels`, a tuple of `FeatureLevel`; its forward returns a
tuple of tensors `(b, channels, h / stride, w / stride)` in the same order, finest first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.errors import ContractError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class FeatureLevel:
    """One feature map of a pyramid.

    channels: its channels.
    stride:   input pixels a cell, in both directions.
    """

    channels: int
    stride: int


def levels_of(part: nn.Module, *, name: str) -> tuple[FeatureLevel, ...]:
    """The levels of a part that was built as `name`. Raises: ContractError where it does not say
    them as the contract wants."""
    levels = getattr(part, "levels", None)
    if (
        isinstance(levels, tuple)
        and levels
        and all(isinstance(level, FeatureLevel) for level in levels)
    ):
        return levels
    raise ContractError(
        f"The part '{name}' was built, and asked for its levels.",
        f"{type(part).__name__}.levels is {levels!r}.",
        "In the part, set self.levels to a tuple of zoo.contract.FeatureLevel, one for each map "
        "it gives, finest first.",
    )
