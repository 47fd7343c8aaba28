"""The network's input: a `Preprocess` makes a `Batch` of images, and an `InputTransform` says where
each image lies in it."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import GetAttrKey, register_pytree_node

from zoo.contract.outputs import is_exporting
from zoo.errors import ContractError, ImageError
from zoo.text import type_name


def check_pixels(images: Sequence[Tensor]) -> None:
    """Each is a uint8 tensor `(3, h, w)` with pixels in it. Raises: ImageError that names the first
    other by its position."""
    if isinstance(images, Tensor):
        failure = f"preprocess was given one tensor {tuple(images.shape)}."
        raise ImageError(
            failure,
            "Images come as a list, because each may have its own size.",
            "Pass a list: preprocess([image])",
        )
    for position, image in enumerate(images):
        if not isinstance(image, Tensor):
            raise _pixel_error(position, f"It is {type_name(image)}.")
        if (
            image.dtype != torch.uint8
            or image.dim() != 3
            or image.shape[0] != 3
            or not image.numel()
        ):
            unit = (
                " Of floats in [0, 1]: (image * 255).round().to(torch.uint8)"
                if image.is_floating_point()
                else ""
            )
            raise _pixel_error(
                position, f"It is a tensor of {image.dtype}, {tuple(image.shape)}.", more=unit
            )


def _pixel_error(position: int, case: str, *, more: str = "") -> ImageError:
    fix = (
        "Pass uint8 RGB tensors (3, height, width), 0 to 255: zoo.images.read(image).pixels "
        "makes one of any form."
    )
    return ImageError(f"preprocess can't take image {position}.", case, fix + more)


@dataclass(frozen=True)
class InputTransform:
    """An affine map from pixels of an image to pixels of the network's input.

    In this order: the image is flipped, cropped, scaled and offset by padding, so that
    `input = (flipped - crop) * scale + offset`.

    height, width:       of the original image, in pixels.
    scale_y, scale_x:    input pixels per pixel of the image.
    top, left:           input pixels of padding above and left of the image.
    crop_top, crop_left: pixels of the image that are cut away above and left.
    flipped:             left and right are exchanged.
    """

    height: int
    width: int
    scale_y: float
    scale_x: float
    top: float = 0.0
    left: float = 0.0
    crop_top: float = 0.0
    crop_left: float = 0.0
    flipped: bool = False

    def to_original(self, boxes: Tensor) -> Tensor:
        """Boxes `(n, 4)` in input pixels to boxes in pixels of the image, clipped to its edges."""
        scale, offset = self._scale_and_offset(boxes)
        edge = boxes.new_tensor([self.width, self.height, self.width, self.height])
        moved = (boxes - offset) / scale
        if self.crop_top or self.crop_left:
            moved = moved + boxes.new_tensor([self.crop_left, self.crop_top] * 2)
        if self.flipped:
            moved = self._mirrored(moved)
        return torch.minimum(moved.clamp(min=0), edge)  # (n, 4)

    def to_input(self, boxes: Tensor) -> Tensor:
        """Boxes `(n, 4)` in pixels of the image to input pixels, not clipped."""
        scale, offset = self._scale_and_offset(boxes)
        if self.flipped:
            boxes = self._mirrored(boxes)
        if self.crop_top or self.crop_left:
            boxes = boxes - boxes.new_tensor([self.crop_left, self.crop_top] * 2)
        return boxes * scale + offset  # (n, 4)

    def _scale_and_offset(self, boxes: Tensor) -> tuple[Tensor, Tensor]:
        scale = boxes.new_tensor([self.scale_x, self.scale_y, self.scale_x, self.scale_y])
        return scale, boxes.new_tensor([self.left, self.top, self.left, self.top])

    def _mirrored(self, boxes: Tensor) -> Tensor:
        left, top, right, bottom = boxes.unbind(-1)
        return torch.stack([self.width - right, top, self.width - left, bottom], dim=-1)


@dataclass(frozen=True)
class Batch:
    """Images as the network takes them, a pytree of tensors.

    A network that can be exported reads `pixels` and `extras` in `forward`, and never `transforms`:
    an exported program takes batches of other images, with other transforms.

    pixels:     `(b, 3, h, w)` float.
    transforms: one per image, from original pixels to input pixels and back.
    extras:     further tensors by name, such as a mask of padding.
    """

    pixels: Tensor
    transforms: tuple[InputTransform, ...]
    extras: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.pixels)

    def to(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> Batch:
        """The same batch on another device, or in another float type.

        Every tensor moves, also those in fields of a subclass and in the tuples, lists and mappings
        there; those of whole numbers and flags keep their type.
        """
        moved = {name: _move(value, device, dtype) for name, value in vars(self).items()}
        return replace(self, **moved)  # type: ignore[arg-type]


def _move(value: object, device: torch.device | str | None, dtype: torch.dtype | None) -> object:
    if isinstance(value, Tensor):
        return value.to(device=device, dtype=dtype if value.is_floating_point() else None)
    if isinstance(value, Mapping):
        return {name: _move(entry, device, dtype) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        entries = [_move(entry, device, dtype) for entry in value]
        if isinstance(value, list):
            return entries
        kind: Any = type(value)
        return kind(*entries) if hasattr(value, "_fields") else tuple(entries)
    return value


class _Transforms:
    """The transforms of a batch, as the part of a pytree that has no leaves.

    All compare as equal: an exported program takes batches with any transforms.
    """

    def __init__(self, transforms: tuple[InputTransform, ...]) -> None:
        self.transforms = transforms

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Transforms)

    def __hash__(self) -> int:
        return hash(_Transforms)

    def __repr__(self) -> str:
        return "transforms"


class _Unread:
    """Stands for the transforms of a batch during export: read, they would become constants of the
    program."""

    def _refuse(self, *_: object) -> Any:
        raise ContractError(
            "The network read `batch.transforms` while it was exported.",
            "They would become constants of the program, which takes batches of other images.",
            "In forward, read batch.pixels and batch.extras only.",
        )

    __iter__ = __getitem__ = __len__ = _refuse


_UNREAD: Any = _Unread()


def _flatten(batch: Batch) -> tuple[list[Any], _Transforms]:
    return [batch.pixels, dict(batch.extras)], _Transforms(batch.transforms)


def _flatten_with_keys(batch: Batch) -> tuple[list[tuple[Any, Any]], _Transforms]:
    children, transforms = _flatten(batch)
    return list(
        zip((GetAttrKey("pixels"), GetAttrKey("extras")), children, strict=True)
    ), transforms


def _unflatten(children: Iterable[Any], context: _Transforms) -> Batch:
    pixels, extras = children
    return Batch(pixels, _UNREAD if is_exporting() else context.transforms, extras)


register_pytree_node(
    Batch,
    _flatten,
    _unflatten,
    serialized_type_name="zoo.contract.Batch",
    to_dumpable_context=lambda _: None,
    from_dumpable_context=lambda _: _Transforms(()),
    flatten_with_keys_fn=_flatten_with_keys,
)


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
