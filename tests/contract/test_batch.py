"""A batch moves as a whole."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from zoo.contract import Batch, InputTransform
from zoo.errors import ContractError


@dataclass(frozen=True)
class Masked(Batch):
    mask: Tensor | None = None


def test_every_tensor_moves_and_only_floats_change_their_type() -> None:
    place = InputTransform(8, 8, scale_y=1.0, scale_x=1.0)
    extras = {"weights": torch.ones(1, 4), "rows": torch.arange(3)}
    batch = Masked(torch.zeros(1, 3, 8, 8), (place,), extras, torch.ones(1, 8, 8, dtype=torch.bool))
    there = batch.to("meta", torch.float16)
    assert isinstance(there, Masked)
    assert there.mask is not None
    tensors = [there.pixels, there.extras["weights"], there.extras["rows"], there.mask]
    assert [one.device.type for one in tensors] == ["meta"] * 4
    assert [one.dtype for one in tensors] == [
        torch.float16,
        torch.float16,
        torch.int64,
        torch.bool,
    ]
    assert there.places == batch.places


def batch_at(scale: float) -> Batch:
    place = InputTransform(8, 8, scale_y=scale, scale_x=scale)
    return Batch(torch.rand(1, 3, 8, 8), (place,), {"mask": torch.ones(1, 8, 8)})


class Sum(nn.Module):
    """Adds pixels and mask, and, if it reads places, a scale."""

    def __init__(self, *, reads_places: bool = False) -> None:
        super().__init__()
        self.reads_places = reads_places

    def forward(self, batch: Batch) -> Tensor:
        added = batch.pixels + batch.extras["mask"]
        return added * batch.places[0].scale_x if self.reads_places else added


def test_its_leaves_are_its_tensors_and_its_places_come_back() -> None:
    batch = batch_at(2.0)
    leaves, spec = pytree.tree_flatten(batch)
    assert [leaf.shape for leaf in leaves] == [(1, 3, 8, 8), (1, 8, 8)]
    again = pytree.tree_unflatten(leaves, spec)
    assert again.places == batch.places
    assert again.extras["mask"] is batch.extras["mask"]
    assert spec == pytree.tree_flatten(batch_at(1.0))[1]


def test_an_exported_program_takes_a_batch_of_images_that_lie_elsewhere() -> None:
    program = torch.export.export(Sum(), (batch_at(1.0),), strict=False).module()
    other = batch_at(2.0)
    assert torch.equal(program(other), other.pixels + 1)


def test_a_network_that_reads_places_is_not_exported() -> None:
    network, batch = Sum(reads_places=True), batch_at(2.0)
    assert torch.equal(network(batch), 2 * (batch.pixels + 1))
    with pytest.raises(ContractError, match=r"read `batch\.places` while it was exported"):
        torch.export.export(network, (batch,), strict=False)


def test_its_length_is_that_of_its_pixels() -> None:
    assert len(Batch(torch.zeros(2, 3, 8, 8), ())) == 2
