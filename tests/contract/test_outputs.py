"""Outputs that torch can flatten."""

from dataclasses import FrozenInstanceError

import pytest
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from zoo.contract import is_exporting, pytree_dataclass


@pytree_dataclass
class Grid:
    height: int
    width: int


@pytree_dataclass
class Out:
    maps: dict[str, Tensor]
    grids: tuple[Grid, ...]
    logits: bool
    more: Tensor | None = None


def test_its_leaves_are_tensors_numbers_and_flags() -> None:
    outputs = Out({"a": torch.ones(2)}, (Grid(3, 4), Grid(1, 2)), logits=True)
    leaves, spec = pytree.tree_flatten(outputs)
    assert torch.equal(leaves.pop(0), torch.ones(2))
    assert leaves == [3, 4, 1, 2, True]
    again = pytree.tree_unflatten([torch.zeros(2), *leaves], spec)
    assert again == Out({"a": again.maps["a"]}, outputs.grids, logits=True)


def test_it_is_frozen() -> None:
    grid = Grid(1, 2)
    with pytest.raises(FrozenInstanceError):
        grid.height = 3  # type: ignore[misc]


def test_a_network_knows_that_it_is_exported() -> None:
    class Asking(torch.nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, bool]:
            return x + 1, is_exporting()

    assert not is_exporting()
    program = torch.export.export(Asking(), (torch.ones(2),), strict=False)
    assert program.module()(torch.ones(2))[1] is True
    assert not is_exporting()
