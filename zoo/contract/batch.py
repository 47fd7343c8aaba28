"""Batch: what a detector's `preprocess` hands to `forward`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from zoo.contract.input_transform import InputTransform


@dataclass(frozen=True)
class Batch:
    """Images as the network takes them.

    pixels: `(b, 3, h, w)` float.
    places: where each image lies in its input.
    extras: what else travels with the batch, by name, such as a mask of padding.
    """

    pixels: Tensor
    places: tuple[InputTransform, ...]
    extras: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.places)

    def to(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> Batch:
        """The same batch on another device, or in another float type.

        Every tensor moves, also those in fields of a subclass; those of whole numbers and flags
        keep their type.
        """
        moved = {name: _moved(value, device, dtype) for name, value in vars(self).items()}
        return replace(self, **moved)  # type: ignore[arg-type]


def _moved(value: object, device: torch.device | str | None, dtype: torch.dtype | None) -> object:
    if isinstance(value, Tensor):
        return value.to(device=device, dtype=dtype if value.is_floating_point() else None)
    if isinstance(value, Mapping):
        return {name: _moved(one, device, dtype) for name, one in value.items()}
    return value
