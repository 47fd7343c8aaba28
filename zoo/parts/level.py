"""What a backbone, neck or head has to know of a feature map: the whole contract between parts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Level:
    """One feature map of a pyramid.

    channels: its channels.
    stride:   input pixels a cell, in both directions.
    """

    channels: int
    stride: int
