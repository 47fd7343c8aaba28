"""Converts arrays and tensors to images; checks shape and range, and guesses nothing."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from zoo.images.rgb import Array, Image
from zoo.images.unreadable import unreadable

CHANNELS = (1, 3, 4)


def from_array(array: Array, name: str) -> Image:
    """Converts an array `(height, width[, 1 | 3 | 4])`, RGB order, uint8 or float in [0, 1].

    Raises:
        ImageError: another shape or type, no pixels, or floats outside [0, 1].
    """
    array = np.asarray(array)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in CHANNELS):
        raise unreadable(name, f"It is an array of shape {array.shape}.", _array_fix(array.shape))
    if not array.size:
        raise unreadable(
            name, f"It has no pixels: an array of shape {array.shape}.", "Pass at least one pixel."
        )
    if np.issubdtype(array.dtype, np.floating):
        low, high = float(array.min()), float(array.max())
        _check_range(low, high, name, convert="array.astype('uint8')")
        array = np.rint(array * array.dtype.type(255)).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise unreadable(
            name,
            f"It is an array of {array.dtype}.",
            "Scale it to 0..255 and pass array.astype('uint8').",
        )
    planes = (
        [array] * 3
        if array.ndim == 2
        else [array[..., channel % array.shape[2]] for channel in range(3)]
    )
    return Image(torch.from_numpy(np.stack(planes)), name)  # (3, h, w)


def from_tensor(tensor: Tensor, name: str) -> Image:
    """Converts a tensor `(3, height, width)`, or with 1 (gray) or 4 (alpha, dropped) channels or
    none (gray), uint8 or float in [0, 1].

    A contiguous uint8 `(3, height, width)` is not copied.

    Raises:
        ImageError: another shape or type, no pixels, or floats outside [0, 1].
    """
    if tensor.is_nested or tensor.layout != torch.strided:
        kind = "a nested tensor" if tensor.is_nested else f"a tensor of layout {tensor.layout}"
        raise unreadable(
            name, f"It is {kind}.", "Pass a dense one: tensor.to_dense(), or one of its parts."
        )
    shape = tuple(tensor.shape)
    if tensor.dim() not in (2, 3) or (tensor.dim() == 3 and shape[0] not in CHANNELS):
        raise unreadable(name, f"It is a tensor of shape {shape}.", _tensor_fix(shape))
    if tensor.is_meta:
        raise unreadable(
            name,
            "It is on the meta device, where tensors have a shape and no content.",
            "Pass one with pixels.",
        )
    if not tensor.numel():
        raise unreadable(
            name, f"It has no pixels: a tensor of shape {shape}.", "Pass at least one pixel."
        )
    if tensor.is_floating_point():
        tensor = _from_unit(tensor.detach(), name)
    elif tensor.dtype != torch.uint8:
        raise unreadable(
            name,
            f"It is a tensor of {tensor.dtype}.",
            "Scale it to 0..255 and pass tensor.to(torch.uint8).",
        )
    if tensor.dim() == 2:
        tensor = tensor[None]  # (1, h, w)
    tensor = tensor.expand(3, -1, -1) if tensor.shape[0] == 1 else tensor[:3]
    return Image(tensor.contiguous(), name)


def _from_unit(tensor: Tensor, name: str) -> Tensor:
    """Floats in [0, 1] to uint8, the exact inverse of torchvision's ToTensor."""
    tensor = tensor.float()
    low, high = (float(value) for value in tensor.aminmax())
    _check_range(low, high, name, convert="tensor.to(torch.uint8)")
    return (tensor * 255).round().to(torch.uint8)


def _check_range(low: float, high: float, name: str, *, convert: str) -> None:
    if not (low >= 0 and high <= 1):  # NaN fails as well
        fix = f"Pass 0..255 as uint8, {convert}; undo a normalisation, the detector does its own."
        raise unreadable(
            name, f"Its floats go from {low:g} to {high:g}; floats are taken as [0, 1].", fix
        )


def _array_fix(shape: tuple[int, ...]) -> str:
    if len(shape) == 4:
        return "Pass a batch as a list of images: list(array)."
    if len(shape) == 3 and shape[0] in CHANNELS:
        return "Put the channels last: array.transpose(1, 2, 0)."
    return "Pass (height, width, 3) in RGB order, or (height, width) for gray."


def _tensor_fix(shape: tuple[int, ...]) -> str:
    if len(shape) == 4:
        return "Pass a batch as a list of images: list(tensor)."
    if len(shape) == 3 and shape[2] in CHANNELS:
        return "Put the channels first: tensor.permute(2, 0, 1)."
    return "Pass (3, height, width) in RGB order, or (height, width) for gray."
