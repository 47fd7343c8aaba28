"""Anchors at the strides that levels declare, where torchvision's generator guesses strides from
the maps' sizes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList

from zoo.contract import FeatureLevel


class StridedAnchors(AnchorGenerator):  # type: ignore[misc]  # torchvision has no types
    """torchvision's anchors, centred on every `stride` pixels of their level, in float32.

    A guessed stride is off where a map's size was rounded up: 160 pixels on 3 cells are not 53
    pixels a cell, but 64.

    sizes:  the sides of each level's square anchors, in pixels.
    ratios: height to width of the anchors of each size.
    """

    def __init__(
        self,
        levels: Sequence[FeatureLevel],
        *,
        sizes: Sequence[Sequence[int]],
        ratios: Sequence[float],
    ) -> None:
        super().__init__(tuple(map(tuple, sizes)), (tuple(ratios),) * len(sizes))
        self.strides = tuple(level.stride for level in levels)

    def on(self, maps: Sequence[Tensor]) -> Tensor:
        """`(a, 4)` xyxy in input pixels, finest level first, row by row: the anchors of one
        image."""
        self.set_cell_anchors(torch.float32, maps[0].device)
        grids = [list(features.shape[-2:]) for features in maps]
        return torch.cat(self.grid_anchors(grids, [[stride, stride] for stride in self.strides]))

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        """The same anchors for every image of the batch, as torchvision's proposal network asks
        for them."""
        return [self.on(feature_maps)] * len(image_list.image_sizes)
