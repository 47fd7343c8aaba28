"""Converts a decoded frame to planes of red, green and blue, turned and mirrored by the clip's
display matrix."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.images.rgb import Array

# FFmpeg's planar RGB, which has green first, is faster than interleaved RGB. It has the same values
# in formats with a special conversion, which leaves columns beyond a multiple of 16 unwritten.
PLANAR, PLANE_CHANNELS = "gbrp", (1, 2, 0)
PLANAR_FORMATS, WIDTH_MULTIPLE = ("yuv420p", "yuvj420p"), 16
MATRIX = struct.Struct("=9i")


def planes_of(frame: Any) -> Tensor:
    """The pixels of a frame of PyAV, uint8 RGB `(3, height, width)`, upright."""
    height, width = frame.height, frame.width
    matrix = matrix_of(frame)
    turned = matrix is not None and is_turned(matrix)
    result = np.empty((3, *((width, height) if turned else (height, width))), np.uint8)
    stored = result if matrix is None else as_stored(result, matrix)  # (3, h, w) as in the clip
    if frame.format.name in PLANAR_FORMATS and width % WIDTH_MULTIPLE == 0 and height % 2 == 0:
        # By default FFmpeg starts a thread per core for each frame, which delays the network.
        planar = frame.reformat(format=PLANAR, threads=1)
        for plane, channel in zip(planar.planes, PLANE_CHANNELS, strict=True):
            rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            stored[channel] = rows[:height, :width]
    else:
        stored[:] = frame.to_ndarray(format="rgb24", threads=1).transpose(2, 0, 1)
    return torch.from_numpy(result)


def matrix_of(frame: Any) -> tuple[int, int, int, int] | None:
    """The 2 x 2 part of the display matrix that turns and mirrors, row by row; None if the frame is
    upright."""
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d, *_ = MATRIX.unpack(bytes(data))
            return None if a > abs(b) and d > abs(c) else (a, b, c, d)
    return None


def is_turned(matrix: tuple[int, int, int, int]) -> bool:
    """Whether the matrix exchanges rows and columns."""
    a, b, c, d = matrix
    return abs(b) + abs(c) > abs(a) + abs(d)


def as_stored(upright: Array, matrix: tuple[int, int, int, int]) -> Array:
    """A view of the upright planes `(3, h, w)`, in the order in which the clip stores its pixels.

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
