"""Detections drawn on their picture: a frame and a chip each, in proportion to the picture, the best on top."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from zoo.detections import Detections
from zoo.draw.canvas import Box, Rim, frame, plate
from zoo.draw.chips import chip
from zoo.draw.palette import color_of, ink_on
from zoo.draw.picture import Picture, copy_of
from zoo.draw.placement import place
from zoo.draw.style import Style, style_for
from zoo.errors import ImageError

CHIP_SHARE = 0.15  # of the picture may be covered by chips


def draw(
    picture: Picture,
    seen: Detections,
    *,
    scores: bool = True,
    line: float | None = None,
    text: float | None = None,
    font: str | Path | None = None,
) -> Image.Image:
    """A copy of the picture, RGB, with a frame around every detection and a chip with its class name and score.

    Args:
        picture: a uint8 tensor `(3, h, w)`, a uint8 array `(h, w, 3)` or a PIL image, turned upright; it is not changed.
        seen: what was seen in it.
        scores: whether the chips show scores.
        line: width of the lines in pixels, instead of one in proportion to the picture.
        text: height of the letters in pixels, likewise.
        font: a font file for class names that the built-in font has no letters for.

    In a crowd lines and letters are finer, and the chips of the weakest detections are left out. Colours belong to labels.

    Raises: ImageError for a picture of another form, or of another size than the detections' picture.
    """
    image = copy_of(picture)
    _check_size(image, seen)
    style = style_for(image.height, image.width, count=len(seen), line=line, text=text)
    boxes = [_onto(image, box, style.line / 2) for box in seen.boxes.tolist()]
    labels = seen.labels.tolist()
    for box, label in reversed(list(zip(boxes, labels, strict=True))):
        _draw_frame(image, box, label, style)
    _draw_chips(image, seen, boxes, style, scores=scores, font=font)
    return image
