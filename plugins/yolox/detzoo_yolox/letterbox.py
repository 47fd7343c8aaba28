"""Letterbox: aspect kept, in the top left corner of a gray canvas, BGR, 0 to 255.

As `preproc` in `yolox/data/data_augment.py` of Megvii-BaseDetection/YOLOX; weights older than its
note of 2021-08-19 (`docs/updates_note.md`), which took normalisation out, want another input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from zoo.contract import check_pixels
from zoo.detectors import Batch, InputTransform
from zoo.errors import UsageError

PADDING = 114.0
STRIDE = 32  # the network's coarsest


@dataclass(frozen=True)
class Letterbox:
    """YOLOX's `zoo.contract.Preprocess`. size: height and width of the input, mostly a square."""

    size: tuple[int, int]

    def __call__(
        self,
        images: Sequence[Tensor],
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Batch:
        """uint8 RGB images `(3, h, w)` as one batch `(b, 3, *size)` on `device`, resized there.

        Image by image: on a CPU that is three times as fast as stacking images of one size, whose
        floats leave the cache.
        """
        check_pixels(images)
        # Channels last makes the network a fifth faster on a CPU, whatever its weights'
        # layout.
        on_cpu = torch.device(device).type == "cpu"
        layout = torch.channels_last if on_cpu else torch.contiguous_format
        pixels = torch.empty(
            len(images), 3, *self.size, dtype=dtype, device=device, memory_format=layout
        ).fill_(PADDING)
        fits = [self.fit(*image.shape[-2:]) for image in images]
        for image, canvas, (_, (height, width)) in zip(images, pixels, fits, strict=True):
            canvas[:, :height, :width] = resize(image.to(device), height, width)
        return Batch(pixels, tuple(transform for transform, _ in fits))

    def input_size(self, height: int, width: int) -> tuple[int, int]:  # noqa: ARG002 - every image goes into the same canvas
        """Always `size`."""
        return self.size

    def at(self, size: tuple[int, int]) -> Letterbox:
        """The same for another input. Raises: UsageError unless 32 divides its height and width."""
        height, width = size
        if any(side < STRIDE or side % STRIDE for side in size):
            raise UsageError(
                f"A letterbox can't be {height} pixels high and {width} wide.",
                f"The network's coarsest stride is {STRIDE}.",
                f"Use multiples of {STRIDE}, for example {self.size}.",
            )
        return replace(self, size=(height, width))

    def fit(self, height: int, width: int) -> tuple[InputTransform, tuple[int, int]]:
        """The transform of an image of this size, and its `(height, width)` on the canvas, at least
        one pixel each way."""
        tall, wide = self.size
        if height * wide >= width * tall:  # the height is what fills the canvas
            numerator, denominator = tall, height
        else:
            numerator, denominator = wide, width
        scale = numerator / denominator
        new_height = max(height * numerator // denominator, 1)
        new_width = max(width * numerator // denominator, 1)
        return InputTransform(height, width, scale_y=scale, scale_x=scale), (new_height, new_width)


def resize(image: Tensor, height: int, width: int) -> Tensor:
    """A uint8 RGB image `(3, h, w)` to `(3, height, width)` BGR float, whole numbers 0 to 255.

    Bilinear between the four nearest pixels, however much it shrinks: the weights were trained on
    OpenCV's `INTER_LINEAR`.
    """
    if image.shape[-2] > 4 * height:
        return _resize_tall(image, height, width)
    return _interpolate(image, height, width).round_()


def _resize_tall(image: Tensor, height: int, width: int) -> Tensor:
    """The same to a rounding of the last bit, without turning the rows between into floats: 10
    times as fast at 12 megapixels."""
    rows = (torch.arange(height, dtype=torch.float32, device=image.device) + 0.5) * (
        image.shape[-2] / height
    ) - 0.5
    upper = rows.long()
    above, below = (
        _interpolate(image.index_select(1, index), height, width) for index in (upper, upper + 1)
    )
    return torch.lerp(above, below, (rows - upper)[:, None]).round_()  # (3, height, width)


def _interpolate(image: Tensor, height: int, width: int) -> Tensor:
    """A uint8 RGB image as BGR floats, resized. Plane by plane into pixels that lie together, which
    a CPU resizes in two thirds of the time."""
    floats = torch.empty(
        (1, *image.shape),
        dtype=torch.float32,
        device=image.device,
        memory_format=torch.channels_last,
    )
    for plane, source in zip(floats[0], reversed(image.unbind()), strict=True):
        plane.copy_(source)
    size = height, width
    return interpolate(floats, size=size, mode="bilinear", align_corners=False)[0]
