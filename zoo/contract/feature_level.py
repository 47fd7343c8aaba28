"""FeatureLevel: channels and stride of a feature map, the whole contract between parts, and what a
part requires of the levels it is built on.

A part that gives maps is a module with `levels`, a tuple of `FeatureLevel`; its forward returns a
tuple of tensors `(b, channels, h / stride, w / stride)` in the same order, finest first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
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


@dataclass(frozen=True)
class LevelRequirements:
    """Demands on a pyramid of levels; what is left at its default is not asked.

    fewest, most:      how many maps.
    equal_channels:    the same number in every map, because one layer sees them all.
    channels_multiple: channels are a multiple of it, as group norm asks.
    doubling:          each stride is twice the one before.
    """

    fewest: int = 1
    most: int | None = None
    equal_channels: bool = False
    channels_multiple: int = 1
    doubling: bool = False

    def check(self, levels: Sequence[FeatureLevel], *, part: str) -> None:
        """Raises: ContractError, if `levels` are not what `part` needs; composing catches it and
        draws the pipeline around it."""
        wrong = next(self._wrong(levels), None)
        if wrong:
            need, case = wrong
            raise ContractError(
                f"{part} was given {show_levels(levels)}.",
                f"It needs {need}, and {case}.",
                f"Give it {need}.",
            )

    def _wrong(self, levels: Sequence[FeatureLevel]) -> Iterator[tuple[str, str]]:
        """Each requirement that is not met, and the levels' property instead, most basic first."""
        channels, strides = [level.channels for level in levels], [level.stride for level in levels]
        if len(levels) < self.fewest or (self.most is not None and len(levels) > self.most):
            yield (
                _maps(self.fewest, self.most),
                f"there {'is' if len(levels) == 1 else 'are'} {len(levels)}",
            )
        if self.doubling and any(coarse != 2 * fine for fine, coarse in pairwise(strides)):
            yield "strides that double from map to map", f"these are {_and(strides)}"
        if self.equal_channels and len(set(channels)) > 1:
            yield "the same number of channels in every map", f"these have {_and(channels)}"
        if any(count % self.channels_multiple for count in channels):
            yield f"a multiple of {self.channels_multiple} channels", f"these have {_and(channels)}"


def show_levels(levels: Sequence[FeatureLevel]) -> str:
    """`128 channels at stride 8, 256 at 16`."""
    first, *rest = (
        (f"{level.channels} at {level.stride}" for level in levels) if levels else ("no map",)
    )
    return ", ".join([first.replace(" at ", " channels at stride "), *rest])


def _maps(fewest: int, most: int | None) -> str:
    if most is None:
        return f"at least {fewest} maps"
    if fewest == most:
        return f"exactly {fewest} map{'s' * (fewest > 1)}"
    return f"{fewest} to {most} maps" if fewest > 1 else f"at most {most} maps"


def _and(numbers: Sequence[int]) -> str:
    *some, last = map(str, dict.fromkeys(numbers))
    return f"{', '.join(some)} and {last}" if some else last
