"""Images as torchvision's detection networks take them: normalised, then resized, then padded.

The numbers are those of torchvision's `GeneralizedRCNNTransform` in eval mode, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from zoo.contract import check_pixels
from zoo.detectors import Batch, InputTransform
from zoo.errors import ImageError


@dataclass(frozen=True)
class TorchvisionPreprocess:
    """torchvision's `zoo.contract.Preprocess`.

    size:      shortest edge, and what the longest may not pass; if stretched, height and width.
    mean, std: of each channel of 0 to 1.
    step:      height and width of the input are multiples of it, in pixels.
    stretched: images are resized to `size` without keeping their aspect.
    """

    size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    step: int = 32
    stretched: bool = False

    @classmethod
    def of(cls, transform: Any) -> TorchvisionPreprocess:  # torchvision has no types
        """A `GeneralizedRCNNTransform` in eval mode, which uses the last of its shortest edges."""
        if transform.fixed_size is None:
            size = transform.min_size[-1], transform.max_size
        else:
            width, height = transform.fixed_size
            size = height, width
        return cls(
            size=size,
            mean=tuple(transform.image_mean),
            std=tuple(transform.image_std),
            step=transform.size_divisible,
            stretched=transform.fixed_size is not None,
        )

    def __call__(
        self,
        images: Sequence[Tensor],
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Batch:
        """One batch, computed on `device` in float32.

        Raises: ImageError for anything but uint8 images, or an image so long that its short side
            would vanish.
        """
        check_pixels(images)
        sizes = [(image.shape[-2], image.shape[-1]) for image in images]
        new_sizes = [self._resized(*size) for size in sizes]
        mean, std = (
            torch.tensor(numbers, dtype=torch.float32, device=device)[:, None, None]
            for numbers in (self.mean, self.std)
        )
        canvas = self._canvas(new_sizes)
        pixels = torch.zeros(len(images), 3, *canvas, dtype=torch.float32, device=device)
        for image, (height, width), target in zip(images, new_sizes, pixels, strict=True):
            values = (image.to(device).float() / 255 - mean) / std
            target[:, :height, :width] = interpolate(
                values[None], size=(height, width), mode="bilinear", align_corners=False
            )[0]
        places = tuple(
            InputTransform(height, width, scale_y=new_height / height, scale_x=new_width / width)
            for (height, width), (new_height, new_width) in zip(sizes, new_sizes, strict=True)
        )
        return Batch(pixels.to(dtype), places)

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """The resized image, padded to a multiple of `step`.

        Raises: ImageError if its short side would vanish.
        """
        return self._canvas([self._resized(height, width)])

    def at(self, size: tuple[int, int]) -> TorchvisionPreprocess:
        """The same for another size."""
        first, second = size
        return replace(self, size=(first, second))

    def _resized(self, height: int, width: int) -> tuple[int, int]:
        if self.stretched:
            return self.size
        shortest, longest = self.size
        scale = min(shortest / min(height, width), longest / max(height, width))
        size = int(height * scale), int(width * scale)
        if 0 in size:
            raise ImageError(
                f"An image of {width} x {height} pixels was given to the network.",
                f"Resized so that its long side is {longest} pixels, its short side would be less "
                f"than one.",
                "Crop the image, or cut it into tiles.",
            )
        return size

    def _canvas(self, sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
        """The smallest input that all of these sizes fit into."""
        height = max((height for height, _ in sizes), default=0)
        width = max((width for _, width in sizes), default=0)
        return math.ceil(height / self.step) * self.step, math.ceil(width / self.step) * self.step
