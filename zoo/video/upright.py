"""Planes of red, green and blue of a decoded frame, turned and mirrored as its clip says."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.images.rgb import Array

# FFmpeg's planar RGB has green first. It is faster than interleaved RGB, and the same bits where
# FFmpeg has a conversion made for it; that one leaves the last columns of other widths unwritten.
PLANAR, ORDER = "gbrp", (1, 2, 0)
DIRECT, MULTIPLE = ("yuv420p", "yuvj420p"), 16
MATRIX = struct.Struct("=9i")


def planes_of(frame: Any) -> Tensor:
    """The pixels of a frame of PyAV, uint8 RGB `(3, height, width)`, upright."""
    height, width = frame.height, frame.width
    matrix = matrix_of(frame)
    turned = matrix is not None and is_turned(matrix)
    result = np.empty((3, *((width, height) if turned else (height, width))), np.uint8)
    stored = result if matrix is None else as_stored(result, matrix)  # (3, h, w) as in the clip
    if frame.format.name in DIRECT and width % MULTIPLE == 0 and height % 2 == 0:
        # By itself FFmpeg starts a thread a core for each frame, which the network would wait for.
        planar = frame.reformat(format=PLANAR, threads=1)
        for plane, channel in zip(planar.planes, ORDER, strict=True):
            rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            stored[channel] = rows[:height, :width]
    else:
        stored[:] = frame.to_ndarray(format="rgb24", threads=1).transpose(2, 0, 1)
    return torch.from_numpy(result)


def matrix_of(frame: Any) -> tuple[int, int, int, int] | None:
    """The part of the display matrix that turns and mirrors, row by row, or None if nothing is to
    be done."""
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d, *_ = MATRIX.unpack(bytes(data))
            return None if a > abs(b) and d > abs(c) else (a, b, c, d)
    return None


def is_turned(matrix: tuple[int, int, int, int]) -> bool:
    """Whether rows become columns."""
    a, b, c, d = matrix
    return abs(b) + abs(c) > abs(a) + abs(d)


def as_stored(upright: Array, matrix: tuple[int, int, int, int]) -> Array:
    """A view of the upright planes in the order in which the clip stores their pixels.

    A stored pixel (x, y) is shown at (a x + c y, b x + d y), ISO/IEC 14496-12 6.2.2.
    """
    a, b, c, d = matrix
    turned = is_turned(matrix)
    mirrored = (c < 0, b < 0) if turned else (a < 0, d < 0)  # along the shown x, and y
    if mirrored[1]:
        upright = upright[:, ::-1]
    if mirrored[0]:
        upright = upright[:, :, ::-1]
    return upright.swapaxes(1, 2) if turned else upright
