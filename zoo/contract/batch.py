"""Batch: what a detector's `preprocess` hands to `forward`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import GetAttrKey, register_pytree_node

from zoo.contract.input_transform import InputTransform
from zoo.contract.outputs import is_exporting
from zoo.errors import ContractError


@dataclass(frozen=True)
class Batch:
    """Images as the network takes them, a pytree of tensors.

    A network that can be exported reads `pixels` and `extras` in `forward`, and never `places`: an
    exported program takes batches of images that lie elsewhere. Their number is that of the rows
    of `pixels`.

    pixels: `(b, 3, h, w)` float.
    places: where each image lies in its input.
    extras: what else travels with the batch, by name, such as a mask of padding.
    """

    pixels: Tensor
    places: tuple[InputTransform, ...]
    extras: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.pixels)

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


class _Places:
    """The places of a batch, as the part of a pytree that has no leaves.

    All are equal to each other: an exported program takes batches whatever their places.
    """

    def __init__(self, places: tuple[InputTransform, ...]) -> None:
        self.places = places

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Places)

    def __hash__(self) -> int:
        return hash(_Places)

    def __repr__(self) -> str:
        return "places"


class _Unread:
    """Places of a batch that is exported: they would be constants of the program."""

    def _refuse(self, *_: object) -> Any:
        raise ContractError(
            "The network read `batch.places` while it was exported.",
            "An exported program takes batches of images that lie elsewhere.",
            "In forward, read batch.pixels and batch.extras only.",
        )

    __iter__ = __getitem__ = __len__ = _refuse


_UNREAD: Any = _Unread()


def _flatten(batch: Batch) -> tuple[list[Any], _Places]:
    return [batch.pixels, dict(batch.extras)], _Places(batch.places)


def _flatten_with_keys(batch: Batch) -> tuple[list[tuple[Any, Any]], _Places]:
    children, places = _flatten(batch)
    return list(zip((GetAttrKey("pixels"), GetAttrKey("extras")), children, strict=True)), places


def _unflatten(children: Iterable[Any], context: _Places) -> Batch:
    pixels, extras = children
    return Batch(pixels, _UNREAD if is_exporting() else context.places, extras)


register_pytree_node(
    Batch,
    _flatten,
    _unflatten,
    serialized_type_name="zoo.contract.Batch",
    to_dumpable_context=lambda _: None,
    from_dumpable_context=lambda _: _Places(()),
    flatten_with_keys_fn=_flatten_with_keys,
)
