"""The images of which a card expects something: drawn from its data, or read from a plugin's
package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from zoo.registry.card import Drawing, PackageImage, PackageSource
from zoo.weights.sources import from_package


def image_of(described: Drawing | PackageImage) -> NDArray[np.uint8] | Path:
    """The image, RGB `(h, w, 3)`, or its file.

    Raises:
        SourceError: the package is not installed, or the file is not in its folder.
    """
    if isinstance(described, Drawing):
        return _drawn(described)
    return from_package(PackageSource(package=described.package, file=described.file)).find()


def _drawn(drawing: Drawing) -> NDArray[np.uint8]:
    """Polygons without smoothed edges, so that every machine draws the same pixels."""
    height, width = drawing.size
    image = Image.new("RGB", (width, height), _color(drawing.ground))
    pen = ImageDraw.Draw(image)
    for shape in drawing.shapes:
        pen.polygon([(x, y) for x, y in shape.corners], fill=_color(shape.color))
    return np.asarray(image).copy()


def _color(given: list[int]) -> tuple[int, int, int]:
    red, green, blue = given
    return red, green, blue
