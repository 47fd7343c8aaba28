"""A backbone by name: `timm/resnet18`, `yolox/cspdarknet`, from whichever plugin has it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from zoo.contract.feature_level import levels_of
from zoo.errors import ContractError
from zoo.registry import catalogue


def backbone(name: str, *, strides: Sequence[int] = (8, 16, 32), **arguments: object) -> nn.Module:
    """The backbone called `name`, with random weights; its forward gives a tuple of maps, finest
    first, which `levels` describes.

    strides:   input pixels a cell of each map, finest first.
    arguments: the builder's own.

    Raises:
        NameNotFound, NameAmbiguous: no backbone, or several plugins' backbones, have that name.
        ContractError: it can't give these strides, or its builder broke the contract.
    """
    build = catalogue().builder("backbones", name)
    if not strides:
        asked = f"The backbone '{name}' can't be built without strides."
        raise ContractError(
            asked, "It would return no map.", "Name at least one, for example strides=(8, 16, 32)."
        )
    made: nn.Module = build(strides=tuple(strides), **arguments)
    given = tuple(level.stride for level in levels_of(made, name=name))
    if given != tuple(strides):
        raise ContractError(
            f"The backbone '{name}' can't be built at strides {tuple(strides)}.",
            f"It gives {given}.",
            f"Ask for {tuple(sorted(set(strides)))}, finest first."
            if sorted(strides) != list(strides)
            else "Correct its builder.",
        )
    return made
