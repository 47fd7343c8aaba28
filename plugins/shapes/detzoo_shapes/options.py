"""Options of the scenes: `shapes:train,count=1000,seed=3,size=320`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class ShapesOptions(Struct, frozen=True):
    """count: scenes of each split; None is 4000 of train, 400 of val and 500 of test.

    seed: another one gives other scenes. size: the side of square scenes, in pixels; None draws one
    of six sizes between 320 x 320 and 480 x 480 for each.
    """

    count: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    seed: Annotated[int, Meta(ge=0, le=2**31)] = 0
    size: Annotated[int, Meta(ge=64, le=2048)] | None = None
