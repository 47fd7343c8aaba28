"""Draws a frame and a chip for each detection, in proportion to the image, the best on top."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import index
from pathlib import Path

import PIL.Image

from zoo.detections import Detections
from zoo.draw.canvas import Box, Rim, frame, plate
from zoo.draw.chips import chip
from zoo.draw.image import Image, to_pil
from zoo.draw.palette import UNTRACKED, Color, color_of, ink_on
from zoo.draw.placement import Spot, place
from zoo.draw.style import Style, style_for
from zoo.errors import ImageError, UsageError
from zoo.text import pluralize

CHIP_WIDTH = 24  # times the size of its letters, about 40 of them, is the widest chip
CHIP_SHARE = 0.15  # of the image may be covered by chips


def draw(
    image: Image,
    detections: Detections,
    *,
    scores: bool = True,
    line: float | None = None,
    text: float | None = None,
    font: str | Path | None = None,
    tracks: Sequence[int | None] | None = None,
) -> PIL.Image.Image:
    """Draws a frame around every detection, and a chip with its class name and score, on a copy of
    the image in RGB.

    Args:
        image: a uint8 tensor `(3, h, w)`, a uint8 array `(h, w, 3)` or a PIL image, which is turned
            upright; it is not changed.
        detections: those in the image.
        scores: whether the chips show scores.
        line: width of the lines in pixels; None is in proportion to the image.
        text: height of the letters in pixels; None is in proportion to the image.
        font: a font file for class names; None is Pillow's own for ASCII, and for other letters one
            of the system that has them. Letters in no font are drawn as `?`, with a FontWarning.
        tracks: the id of each detection's track or None, shown behind the class name; each track
            then has its colour.

    Every detection gets a frame. A chip is left out, without a warning, if there is no room for it:
    chips never cover each other or leave the image, and all together cover at most 15 % of it
    (except that the first one is always drawn). The best detections choose their places first, so
    in a crowd the weakest lack chips; lines and letters are also finer there. Without tracks, each
    label has its colour.

    Raises:
        ImageError: the image is of another form, or of another size than the detections' image.
        UsageError: `font` is not a font file, or `line`, `text` or `tracks` can't be used.
    """
    image = to_pil(image)
    _check_size(image, detections)
    style = style_for(image.height, image.width, count=len(detections), line=line, text=text)
    boxes = detections.boxes.tolist()
    texts = [f"{score:.2f}" if scores else "" for score in detections.scores.tolist()]
    names, colors = _names_and_colors(detections, tracks)
    make = partial(chip, size=style.text, most=min(image.width, CHIP_WIDTH * style.text), font=font)
    chips = [make(name, score) for name, score in zip(names, texts, strict=True)]
    parts = zip(boxes, chips, _spots(image, boxes, chips, style), colors, strict=True)
    worst_first = list(parts)[::-1]
    for box, _, _, color in worst_first:
        _draw_frame(image, box, color, style)
    for _, letters, spot, color in worst_first:
        _draw_chip(image, letters, spot, color, style)
    return image


def _ids(tracks: Sequence[int | None], count: int) -> list[int | None]:
    """The ids of the tracks. Raises: UsageError unless there is one id or None per detection."""
    try:
        ids = [None if track is None else index(track) for track in tracks]
    except TypeError:
        case = "Not all of them are whole numbers or None."
    else:
        if len(ids) == count:
            return ids
        case = f"They are {len(ids)}, for {pluralize(count, 'detection')}."
    fix = "Pass a list with the id of each detection, or None for one of no track."
    raise UsageError(f"tracks={tracks!r:.60} can't be drawn.", case, fix)


def _names_and_colors(
    detections: Detections, tracks: Sequence[int | None] | None
) -> tuple[list[str], list[Color]]:
    """The name and the colour of each detection."""
    labels = detections.labels.tolist()
    if tracks is None:
        return detections.class_names, [color_of(label) for label in labels]
    ids = _ids(tracks, len(labels))
    pairs = zip(detections.class_names, ids, strict=True)
    names = [name if track is None else f"{name} {track}" for name, track in pairs]
    return names, [color_of(track) if track is not None else UNTRACKED for track in ids]


def _check_size(image: PIL.Image.Image, detections: Detections) -> None:
    if detections.size not in (None, (image.height, image.width)):
        height, width = detections.size
        raise ImageError(
            f"{detections!r} can't be drawn on an image of {image.width}x{image.height} pixels.",
            f"They belong to an image of {width}x{height}.",
            f"Pass that image, or detections.scaled({image.width / width:g}, "
            f"{image.height / height:g}).",
        )


def _spots(
    image: PIL.Image.Image, boxes: list[list[float]], chips: list[PIL.Image.Image], style: Style
) -> list[Spot | None]:
    frames = [_onto(image, box, style.line) for box in boxes]
    sizes = [letters.size for letters in chips]
    return place(
        frames,
        sizes,
        height=image.height,
        width=image.width,
        reach=style.line / 2,
        share=CHIP_SHARE,
    )


def _onto(image: PIL.Image.Image, box: list[float], line: int) -> Box:
    """The box along the middle of the line, such that the line covers whole pixels and is inside
    the image."""
    x1, x2 = (_snap(value, line, image.width) for value in box[0::2])
    y1, y2 = (_snap(value, line, image.height) for value in box[1::2])
    return x1, y1, x2, y2


def _snap(value: float, line: int, size: int) -> float:
    return max(min(round(value - line / 2), size - line), 0) + line / 2


def _draw_frame(image: PIL.Image.Image, box: list[float], color: Color, style: Style) -> None:
    style = style.within(_shorter_side(_onto(image, box, style.line)))
    edges = _onto(image, box, style.line)
    radius = style.radius(_shorter_side(edges))
    frame(
        image, edges, color=color, line=style.line, radius=radius, rim=Rim(ink_on(color), style.rim)
    )


def _shorter_side(box: Box) -> float:
    return min(box[2] - box[0], box[3] - box[1])


def _draw_chip(
    image: PIL.Image.Image, letters: PIL.Image.Image, spot: Spot | None, color: Color, style: Style
) -> None:
    if spot is None:
        return
    box = (*spot, spot[0] + letters.width, spot[1] + letters.height)
    plate(image, box, color=color, radius=style.chip_radius, rim=Rim(ink_on(color), style.rim))
    image.paste(ink_on(color), spot, letters)
