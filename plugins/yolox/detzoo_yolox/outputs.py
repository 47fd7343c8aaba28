"""The output of the head: values of every cell, and where the cells are."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.contract import pytree_dataclass


@pytree_dataclass
class Grid:
    """The cells of one level: `height` rows of `width` cells, each `stride` input pixels wide and
    high."""

    height: int
    width: int
    stride: int


@pytree_dataclass
class YoloxOutput:
    """The network's output, one row a cell; the cells of the finest level come first, row by row.

    values: (b, cells, 5 + n), each row x and y offset from the cell's corner in cells, log width
            and log height in cells, objectness, and one value a class channel.
    grids:  the levels, in the order of the rows.
    logits: objectness and classes are logits (made in train mode), not probabilities (in eval mode,
        as in published ONNX files).
    """

    values: Tensor
    grids: tuple[Grid, ...]
    logits: bool

    def cells(self) -> Tensor:
        """`(cells, 3)` float32: column and row of each cell in its level, and the level's stride in
        input pixels."""
        return torch.cat([_cells(grid, self.values.device) for grid in self.grids])


def _cells(grid: Grid, device: torch.device) -> Tensor:
    row = torch.arange(grid.height, dtype=torch.float32, device=device).repeat_interleave(
        grid.width
    )
    column = torch.arange(grid.width, dtype=torch.float32, device=device).repeat(grid.height)
    return torch.stack(
        [column, row, torch.full_like(row, grid.stride)], dim=-1
    )  # (height * width, 3)


def to_boxes(values: Tensor, cells: Tensor) -> Tensor:
    """Boxes `(..., 4)` xyxy in input pixels that rows `(..., 4 or more)` of raw values put at
    `cells` `(..., 3)`."""
    corner, stride = cells[..., :2], cells[..., 2:]
    center = (values[..., :2] + corner) * stride
    half = values[..., 2:4].exp() * (stride / 2)
    return torch.cat([center - half, center + half], dim=-1)  # (..., 4)
