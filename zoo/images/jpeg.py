"""Decodes plain JPEGs by torchvision, for callers that read many: the pixels are exactly Pillow's,
without its copy of each plane."""

from __future__ import annotations

import io

import PIL.Image
import torch
from torch import Tensor

from zoo.images.decode import Limits, has_one_scan, orientation_of, quiet

_START = b"\xff\xd8\xff"
_RGB = 3  # torchvision.io.ImageReadMode.RGB


def plain_jpeg(content: bytes) -> Tensor | None:
    """The pixels of an upright JPEG of three channels and one scan, `(3, height, width)` uint8 RGB,
    interleaved in memory.

    None for anything else, and for a damaged image or one beyond a limit of the environment:
    `zoo.images.read` reads it, or raises the error. Raises: UsageError for an invalid limit.
    """
    if not content.startswith(_START):
        return None
    limits, file = Limits.in_force(), io.BytesIO(content)
    try:
        with quiet(), PIL.Image.open(file) as image:
            if image.width * image.height > limits.most_pixels or not _is_plain(image, file):
                return None
    except Exception:  # whatever a parser raises on damaged data
        return None
    return _decode(content)


def _is_plain(image: PIL.Image.Image, file: io.BytesIO) -> bool:
    channels = image.format == "JPEG" and image.mode == "RGB"
    return channels and orientation_of(image) == 1 and has_one_scan(image, file)


def _decode(content: bytes) -> Tensor | None:
    import torchvision.io  # noqa: F401 - deferred: slow; it registers the decoder

    data = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    try:  # as `torchvision.io.decode_jpeg`, which is deprecated; without it, `read` is used
        pixels: Tensor = torch.ops.image.decode_jpeg(data, _RGB, False)
    except (RuntimeError, AttributeError):  # cut short, or damaged; or no such decoder
        return None
    return pixels
