"""ClassLayer: a layer with rows for classes, and how those lie, so that they can be transferred."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def reset(layer: nn.Module) -> None:
    """The layer's own `reset_parameters`."""
    layer.reset_parameters()  # type: ignore[operator]  # torch knows the method of no particular module


@dataclass(frozen=True)
class ClassLayer:
    """A layer whose tensors have rows for classes in their first dimension: `outer` blocks of
    `channels` of `inner` rows.

    A convolution or a linear layer, and each norm, scale or bias behind the last one, named right
    after it: of all of them weight, bias and buffers with rows, as the running mean of a batch
    norm, are carried over.

    name:       the layer's name inside the module that says so.
    channels:   the label that each channel stands for, -1 for background and unused ones.
    background: the channel that is background, where there is one.
    outer:      how often all channels follow one another, as for each anchor of a cell.
    inner:      rows of each channel, as the 4 sides of its box.
    start:      what a new layer starts from: sets weight and bias in place, as the family does
                before training.
    """

    name: str
    channels: tuple[int, ...]
    background: int | None = None
    outer: int = 1
    inner: int = 1
    start: Callable[[nn.Module], None] = reset

    @property
    def shape(self) -> tuple[int, int, int]:
        """Counts of blocks, channels, and rows of a channel."""
        return self.outer, len(self.channels), self.inner

    def within(self, name: str) -> ClassLayer:
        """The same layer, named from outside of the module `name`."""
        return replace(self, name=f"{name}.{self.name}")
