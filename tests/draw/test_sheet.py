"""Contact sheets, pixel by pixel."""

import numpy as np
import PIL.Image

from zoo.draw.gallery import Place
from zoo.draw.palette import color_of
from zoo.draw.sheet import EMPTY, MARGIN, PAPER, WIDTH, Heading, Tile, content_width, sheet

RED, BLUE = (255, 0, 0), (0, 0, 255)


def filled(color: tuple[int, int, int], size: tuple[int, int] = (300, 200)) -> Tile:
    return Tile(size, lambda drawn: PIL.Image.new("RGB", drawn, color), "a.jpg", "3 boxes")


def bounds(image: PIL.Image.Image, color: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what has that colour."""
    rows, columns = np.nonzero((np.asarray(image) == color).all(axis=2))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_images_lie_where_their_places_are_under_the_heading() -> None:
    places = [Place(0, 0, 300, 200), Place(320, 0, 300, 200)]
    image = sheet(Heading("site"), [filled(RED), filled(BLUE)], places)
    left, top, right, bottom = bounds(image, RED)
    assert (left, right - left, bottom - top) == (MARGIN, 300, 200)
    assert bounds(image, BLUE) == (MARGIN + 320, top, MARGIN + 620, bottom)
    assert image.width == WIDTH
    assert image.getpixel((0, 0)) == PAPER
    assert image.getpixel((MARGIN, top)) != RED  # a round corner


def test_an_image_of_another_shape_is_in_the_middle_of_its_place() -> None:
    image = sheet(Heading("site"), [filled(RED, (200, 200))], [Place(0, 0, 400, 200)])
    left, _, right, _ = bounds(image, RED)
    assert (left, right) == (MARGIN + 100, MARGIN + 300)


def test_an_image_that_is_not_there_leaves_an_empty_place_that_says_why() -> None:
    tile = Tile((4, 3), None, "a.jpg", "There is no such file.")
    image = sheet(Heading("site"), [tile], [Place(0, 0, 400, 300)])
    left, top, right, bottom = bounds(image, EMPTY)
    assert (right - left, bottom - top) == (400, 300)
    inside = np.asarray(image)[top + 20 : bottom - 20, left + 20 : right - 20]
    assert (inside != EMPTY).any()


def test_the_legend_has_each_class_in_its_colour() -> None:
    heading = Heading("site", legend=[(0, "helmet", 12), (1, "vest", 3)])
    image = sheet(heading, [filled(RED)], [Place(0, 0, 300, 200)])
    first, second = bounds(image, color_of(0)), bounds(image, color_of(1))
    assert first[0] == MARGIN
    assert first[2] < second[0]
    assert first[1] == second[1]
    assert first[3] < bounds(image, RED)[1]


def test_a_long_legend_ends_after_three_rows() -> None:
    legend = [(number, f"class {number}", 7) for number in range(400)]
    few, many = (
        sheet(Heading("site", legend=legend[:count]), [filled(RED)], [Place(0, 0, 300, 200)])
        for count in (60, 400)
    )
    assert few.height == many.height
    one = sheet(Heading("site", legend=legend[:1]), [filled(RED)], [Place(0, 0, 300, 200)])
    assert one.height < few.height


def test_text_stays_within_the_margins() -> None:
    heading = Heading("w" * 900, ["m" * 900], [(0, "i" * 900, 10**9)], ["w" * 900])
    image = sheet(heading, [filled(RED)], [Place(0, 0, content_width(), 200)])
    margin = np.asarray(image)[: bounds(image, RED)[1], WIDTH - MARGIN + 4 :]
    assert (margin == PAPER).all()
