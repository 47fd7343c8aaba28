"""A batch moves as a whole."""

from dataclasses import dataclass

import torch
from torch import Tensor

from zoo.contract import Batch, InputTransform


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
