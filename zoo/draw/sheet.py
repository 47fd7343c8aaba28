"""Draws contact sheets: a title, a legend of classes, and images with captions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import PIL.Image
from PIL import ImageDraw

from zoo.draw.canvas import Rim, plate
from zoo.draw.chips import chip, fit_name
from zoo.draw.gallery import Place, in_rows
from zoo.draw.palette import Color, color_of, ink_on
from zoo.fonts import letters_of

WIDTH, MARGIN, GAP = 1800, 40, 16  # pixels
CAPTION = 24  # pixels under an image
ROW_HEIGHT = 250  # pixels
PAPER, INK, PALE, EMPTY = (250, 250, 248), (34, 34, 34), (118, 118, 118), (233, 233, 230)
TITLE, FACTS, LEGEND, SMALL = 34, 18, 16, 14  # letters
LEGEND_ROWS = 3
ROUND = 7  # radius of the corners of an image
_NO_RIM = Rim(PAPER, 0.0, 0.0)
_FINE = 4  # times the size at which corners are drawn


@dataclass(frozen=True)
class Heading:
    """The top of a sheet.

    title:   the first line.
    facts:   further lines, in smaller letters.
    legend:  label, name and number of each class, in their order.
    columns: a heading for each column of images; may be empty.
    """

    title: str
    facts: Sequence[str] = ()
    legend: Sequence[tuple[int, str, int]] = ()
    columns: Sequence[str] = ()


@dataclass(frozen=True)
class Tile:
    """An image on a sheet, or an empty place.

    size:    width and height of the image in pixels.
    draw:    returns the image in a given size; None leaves the place empty.
    caption: text under it at the left.
    note:    text under it at the right or, in an empty place, the reason.
    """

    size: tuple[int, int]
    draw: Callable[[tuple[int, int]], PIL.Image.Image] | None
    caption: str = ""
    note: str = ""


def sheet(heading: Heading, tiles: Sequence[Tile], places: Sequence[Place]) -> PIL.Image.Image:
    """Draws a sheet with tiles at these places under the heading."""
    top = _heading(None, heading)
    below = max((place.top + place.height for place in places), default=0) + CAPTION
    paper = PIL.Image.new("RGB", (WIDTH, top + below + MARGIN), PAPER)
    _heading(paper, heading)
    for column, place in zip(heading.columns, places, strict=False):
        spot = MARGIN + place.left, top - 8
        _write(paper, column, spot, size=LEGEND, color=INK, room=place.width)
    for tile, place in zip(tiles, places, strict=True):
        at = place._replace(left=place.left + MARGIN, top=place.top + top)
        _tile(paper, tile, at)
    return paper


def sheet_of_rows(heading: Heading, tiles: Sequence[Tile]) -> PIL.Image.Image:
    """Draws a sheet with tiles in rows that are all as wide as the sheet."""
    sizes = [tile.size for tile in tiles]
    places = in_rows(sizes, width=content_width(), height=ROW_HEIGHT, gap=GAP, below=CAPTION)
    return sheet(heading, tiles, places)


def content_width() -> int:
    """Pixels between the margins."""
    return WIDTH - 2 * MARGIN


def _heading(paper: PIL.Image.Image | None, heading: Heading) -> int:
    """Writes the heading, or only measures it without a paper; returns its bottom in pixels."""
    room = content_width()
    baseline = MARGIN + TITLE - 6
    _write(paper, heading.title, (MARGIN, baseline), size=TITLE, color=INK, room=room)
    for line in heading.facts:
        baseline += round(FACTS * 1.6)
        _write(paper, line, (MARGIN, baseline), size=FACTS, color=PALE, room=room)
    bottom = _legend(paper, heading.legend, baseline + 18) if heading.legend else baseline + 6
    return bottom + (GAP + LEGEND + 12 if heading.columns else GAP)


def _legend(paper: PIL.Image.Image | None, legend: Sequence[tuple[int, str, int]], top: int) -> int:
    """Draws chips in rows, and counts the classes that have no room. Returns the bottom in
    pixels."""
    left, row = MARGIN, 0
    right = WIDTH - MARGIN
    tall = round(LEGEND * 1.38) + 6
    for done, (label, name, number) in enumerate(legend):
        mask = chip(name, f"{number:,}", size=LEGEND, most=right - MARGIN)
        more = f"and {len(legend) - done:,} more classes"
        last = row == LEGEND_ROWS - 1 and done < len(legend) - 1
        end = right - (round(letters_of(LEGEND, None).getlength(more)) + 12 if last else 0)
        if left + mask.width > end and left > MARGIN:
            if row == LEGEND_ROWS - 1:
                spot = left + 4, top + row * tall + round(LEGEND * 1.04)
                _write(paper, more, spot, size=LEGEND, color=PALE)
                break
            left, row = MARGIN, row + 1
        if paper is not None:
            _chip(paper, mask, (left, top + row * tall), color_of(label))
        left += mask.width + 8
    return top + (row + 1) * tall


def _chip(
    paper: PIL.Image.Image, mask: PIL.Image.Image, spot: tuple[int, int], color: Color
) -> None:
    box = (*spot, spot[0] + mask.width, spot[1] + mask.height)
    plate(paper, box, color=color, radius=LEGEND * 0.3, rim=_NO_RIM)
    paper.paste(ink_on(color), spot, mask)


def _write(
    paper: PIL.Image.Image | None,
    text: str,
    spot: tuple[int, int],
    *,
    size: int,
    color: Color,
    room: int = WIDTH,
) -> None:
    """Writes text from a point on its baseline, cut to fit into `room` pixels."""
    if paper is None:
        return
    text, font = fit_name(text, size=size, room=room, font=None)
    pen = ImageDraw.Draw(paper)
    pen.text(spot, text, fill=color, font=letters_of(size, font), anchor="ls")


def _tile(paper: PIL.Image.Image, tile: Tile, place: Place) -> None:
    scale = min(place.width / tile.size[0], place.height / tile.size[1])
    wide, tall = max(round(tile.size[0] * scale), 1), max(round(tile.size[1] * scale), 1)
    if tile.draw is None:
        wide, tall = place.width, place.height
        image = PIL.Image.new("RGB", (wide, tall), EMPTY)
        middle = round(tall / 2)
        _write(image, tile.note, (12, middle), size=SMALL, color=PALE, room=wide - 24)
    else:
        image = tile.draw((wide, tall))
    left = place.left + (place.width - wide) // 2
    top = place.top + (place.height - tall) // 2
    paper.paste(image, (left, top), _corners(wide, tall))
    _caption(paper, tile, place._replace(left=left, width=wide))


def _caption(paper: PIL.Image.Image, tile: Tile, place: Place) -> None:
    baseline = place.top + place.height + round(CAPTION * 0.75)
    note = "" if tile.draw is None else tile.note
    length = round(letters_of(SMALL, None).getlength(note)) + 8 if note else 0
    if note:
        spot = place.left + place.width - length + 8, baseline
        _write(paper, note, spot, size=SMALL, color=PALE, room=length + SMALL)
    if (room := place.width - length) > 0:
        _write(paper, tile.caption, (place.left, baseline), size=SMALL, color=PALE, room=room)


def _corners(width: int, height: int) -> PIL.Image.Image:
    """A mask with round corners."""
    mask = PIL.Image.new("L", (width, height), 255)
    side = min(ROUND, width // 2, height // 2)
    if side < 1:
        return mask
    large = PIL.Image.new("L", (2 * side * _FINE, 2 * side * _FINE), 0)
    ImageDraw.Draw(large).ellipse((0, 0, large.width - 1, large.height - 1), fill=255)
    disc = large.resize((2 * side, 2 * side), PIL.Image.Resampling.BOX)
    for left, across in ((0, 0), (side, width - side)):
        for upper, down in ((0, 0), (side, height - side)):
            mask.paste(disc.crop((left, upper, left + side, upper + side)), (across, down))
    return mask
