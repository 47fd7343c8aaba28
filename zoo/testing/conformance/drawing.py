"""The images of a card's expectations: drawn from its data, or read from a plugin's package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from zoo.registry.card import Drawing, PackageImage, PackageSource
from zoo.weights.sources import from_package


def image_of(described: Drawing | PackageImage) -> NDArray[np.uint8] | Path:
    """The image, uint8 RGB `(h, w, 3)`, or its file.

    Raises:
        SourceError: the package is not installed, or the file is not in its folder.
    """
    if isinstance(described, Drawing):
        return _draw(described)
    return from_package(PackageSource(package=described.package, file=described.file)).find()


def _draw(drawing: Drawing) -> NDArray[np.uint8]:
    """Draws polygons without antialiasing, so that every machine draws the same pixels: uint8
    `(h, w, 3)`."""
    height, width = drawing.size
    image = Image.new("RGB", (width, height), _color(drawing.ground))
    pen = ImageDraw.Draw(image)
    for shape in drawing.shapes:
        pen.polygon([(x, y) for x, y in shape.corners], fill=_color(shape.color))
    return np.asarray(image).copy()


def _color(rgb: list[int]) -> tuple[int, int, int]:
    red, green, blue = rgb
    return red, green, blue
