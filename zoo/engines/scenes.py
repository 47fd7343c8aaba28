"""Images on which an exported network is compared with torch: rendered scenes, or the user's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain

import torch
from torch import Tensor

from zoo.data import read as read_data
from zoo.images import expand
from zoo.images.read import read

SCENES = "shapes:val,count=4"


@cache
def scenes() -> tuple[Tensor, ...]:
    """Rendered scenes, and one of them cut tall, cut wide and at twice the size: uint8
    `(3, h, w)`."""
    full = [torch.as_tensor(read(record.source()).pixels) for record in read_data(SCENES).images]
    first = full[0]
    half = first.shape[-1] // 2
    large = first.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
    return (*full, first[:, :, :half].contiguous(), first[:, : half // 2].contiguous(), large)


def images_of(sources: Sequence[str]) -> tuple[Tensor, ...]:
    """The user's images, from files, folders and globs: uint8 `(3, h, w)`. Raises: ImageError."""
    paths = chain.from_iterable(expand(source) for source in sources)
    return tuple(torch.as_tensor(read(image).pixels) for image in paths)
