"""Rows of values and the cells that they belong to."""

import torch
from detzoo_yolox.outputs import Grid, YoloxOutput, to_boxes
from hypothesis import given
from hypothesis import strategies as st
from torch.utils import _pytree as pytree

GRIDS = (Grid(3, 2, 8), Grid(2, 1, 16))


def test_cells_are_column_row_and_stride_level_by_level() -> None:
    outputs = YoloxOutput(torch.zeros(1, 8, 6), GRIDS, logits=False)
    expected = [
        (column, row, grid.stride)
        for grid in GRIDS
        for row in range(grid.height)
        for column in range(grid.width)
    ]
    assert outputs.cells().tolist() == [list(cell) for cell in expected]


@given(
    column=st.integers(0, 80),
    row=st.integers(0, 80),
    stride=st.sampled_from([4, 8, 16, 32]),
    width=st.floats(1, 600),
    height=st.floats(1, 600),
)
def test_a_box_comes_back_from_the_values_that_stand_for_it(
    column: int, row: int, stride: int, width: float, height: float
) -> None:
    center = ((column + 0.25) * stride, (row - 0.5) * stride)
    values = torch.tensor([0.25, -0.5, width / stride, height / stride])
    values[2:] = values[2:].log()
    box = to_boxes(values, torch.tensor([column, row, stride], dtype=torch.float32))
    expected = [
        center[0] - width / 2,
        center[1] - height / 2,
        center[0] + width / 2,
        center[1] + height / 2,
    ]
    assert torch.allclose(box, torch.tensor(expected), rtol=1e-4, atol=1e-2)


def test_boxes_ignore_what_follows_the_four_values() -> None:
    values = torch.randn(2, 8, 6, generator=torch.Generator().manual_seed(0))
    cells = YoloxOutput(values, GRIDS, logits=True).cells()
    assert torch.equal(to_boxes(values, cells), to_boxes(values[..., :4], cells))


def test_outputs_are_a_tree_of_tensors() -> None:
    outputs = YoloxOutput(torch.zeros(1, 8, 6), GRIDS, logits=True)
    leaves, tree = pytree.tree_flatten(outputs)
    again = pytree.tree_unflatten(leaves, tree)
    assert (again.grids, again.logits) == (GRIDS, True)
    assert again.values is outputs.values
