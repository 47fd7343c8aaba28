"""A backbone as a row of stages, each at half the resolution of the one before it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from torch import Tensor, nn

from zoo.contract.feature_level import FeatureLevel
from zoo.errors import ContractError


class Stages(nn.Sequential):
    """Runs its stages in turn and returns the maps at the wanted strides, finest first.

    levels: channels and stride of each map it returns; stages behind the last of them are left out.

    Raises: ContractError for a stride that no stage has.
    """

    levels: tuple[FeatureLevel, ...]

    def __init__(
        self, stages: Mapping[str, tuple[nn.Module, FeatureLevel]], *, strides: tuple[int, ...]
    ) -> None:
        every = {level.stride: level for _, level in stages.values()}
        if unknown := sorted(set(strides) - every.keys()):
            raise ContractError(
                f"{type(self).__name__} can't give maps at the strides "
                f"{', '.join(map(str, strides))}.",
                f"It has none at {', '.join(map(str, unknown))}.",
                f"Choose from {', '.join(map(str, every))}.",
            )
        needed = {
            name: stage for name, (stage, level) in stages.items() if level.stride <= max(strides)
        }
        super().__init__(OrderedDict(needed))
        self.levels = tuple(level for level in every.values() if level.stride in strides)
        self._returned = [stages[name][1].stride in strides for name in needed]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """`(b, 3, h, w)` to one `(b, channels, h / stride, w / stride)` a level."""
        maps = []
        for stage, returned in zip(self, self._returned, strict=True):
            x = stage(x)
            if returned:
                maps.append(x)
        return tuple(maps)
