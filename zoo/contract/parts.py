"""The three kinds of parts, as types, and a backbone by name: anything with these members will do,
and nothing has to be inherited.

Each is also an `nn.Module`. Maps are a tuple of `(b, channels, ceil(h / stride), ceil(w /
stride))`, one per level, finest first.
"""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, TypeAlias

from msgspec import Meta
from torch import nn

from zoo.contract.feature_level import FeatureLevel, levels_of
from zoo.errors import ContractError
from zoo.registry import catalogue

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.contract.batch import Batch
    from zoo.contract.protocol import Thresholds
    from zoo.contract.target import Target
    from zoo.detections import Detections

Outputs = typing.TypeVar("Outputs")
# Types of arguments: a part is never built with others than its signature says.
Count: TypeAlias = Annotated[int, Meta(ge=1)]
Positive: TypeAlias = Annotated[float, Meta(gt=0)]
Positives: TypeAlias = Annotated[Sequence[Positive], Meta(min_length=1)]


class Backbone(typing.Protocol):
    """Pixels to maps. Built by `build(*, strides, **arguments)`.

    levels: the maps it returns, one at each stride given.
    size:   the one height and width of pixels it takes; a backbone that takes any may leave it out.
    """

    levels: tuple[FeatureLevel, ...]

    def __call__(self, pixels: Tensor, /) -> tuple[Tensor, ...]:
        """`(b, 3, h, w)`, h and w multiples of the largest stride, to one map a level."""


class Neck(typing.Protocol):
    """Maps to maps. Built by `build(*, levels, **arguments)`, where `levels` are the maps it is
    given.

    levels: the maps it returns.
    """

    levels: tuple[FeatureLevel, ...]

    def __call__(self, maps: tuple[Tensor, ...], /) -> tuple[Tensor, ...]:
        """One map for each level it was built with to one for each it declares."""


class Head(typing.Protocol[Outputs]):
    """Maps to boxes. Built by `build(*, levels, label_space, **arguments)`, where `levels` are the
    maps it is given.

    Its outputs are a pytree of its own, see `pytree_dataclass`, that holds all that `decode` and
    `loss` need. Trainable parameters are used in its forward, and nowhere else.
    defaults: its own thresholds.
    class_layers: a method without arguments that gives a `ClassLayer` for each layer with rows for
            classes, named from inside the head. A head may leave it out; loaded for other classes
            it then keeps nothing of what it knew of the old ones.
    """

    defaults: Thresholds

    def __call__(
        self, maps: tuple[Tensor, ...], batch: Batch, targets: Sequence[Target] | None, /
    ) -> Outputs:
        """The outputs for the maps of a batch. `targets` are given when it is trained; many heads
        need none."""

    def decode(self, outputs: Outputs, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        """Detections in pixels of the original images, one per image, on the CPU."""

    def loss(self, outputs: Outputs, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        """Named scalar losses of `outputs`, made in train mode with the same targets, which may be
        empty."""


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
        failure = f"The backbone '{name}' can't be built without strides."
        raise ContractError(
            failure,
            "It would return no map.",
            "Name at least one, for example strides=(8, 16, 32).",
        )
    module: nn.Module = build(strides=tuple(strides), **arguments)
    returned = tuple(level.stride for level in levels_of(module, name=name))
    if returned != tuple(strides):
        raise ContractError(
            f"The backbone '{name}' can't be built at strides {tuple(strides)}.",
            f"It gives {returned}.",
            f"Ask for {tuple(sorted(set(strides)))}, finest first."
            if sorted(strides) != list(strides)
            else "Correct its builder.",
        )
    return module
