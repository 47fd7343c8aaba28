"""Preprocess: images to the network's input, as an object that needs no network."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.contract.batch import Batch


class Preprocess(typing.Protocol):
    """Resizes, pads and normalises images for one network. A frozen dataclass will do.

    It can be pickled and refers to no network, so that it works in the workers of a data loader,
    in front of an exported model, or in a server that never builds the network.
    """

    @property
    def size(self) -> tuple[int, int]:
        """Two numbers as in a card's `input`: height and width, or shortest and longest edge."""

    def __call__(
        self,
        images: Sequence[Tensor],
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Batch:
        """One batch of these images; it makes no changes to them.

        images: uint8 RGB `(3, h, w)`, of any sizes, on any device.
        device: where the network is.
        dtype:  the float type of its weights.
        Raises: ImageError for anything else (`check_pixels`), or an image that it can't resize.
        """

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the input for an image of that size alone; images that agree share
        a batch without padding for it.

        Raises: ImageError if the network can't take such an image.
        """

    def at(self, size: tuple[int, int]) -> typing.Self:
        """The same for another `size`, as multi-scale training needs it."""
