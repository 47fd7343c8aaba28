"""Frames and plates: where they are, how thick, and that nothing else is touched."""

import numpy as np
import PIL.Image
import pytest

from zoo.draw.canvas import Rim, frame, plate

RED, BLACK = (255, 0, 0), (0, 0, 0)
NO_RIM = Rim(BLACK, 0, 0)


def drawn(draw, box, *, rim=NO_RIM, size=(40, 30), **options):
    """The pixels (h, w, 3) of a white image that something was drawn on."""
    image = PIL.Image.new("RGB", size, "white")
    draw(image, box, color=RED, rim=rim, **options)
    return np.asarray(image)


def test_a_frame_runs_along_its_box() -> None:
    pixels = drawn(frame, (10, 5, 30, 25), line=2, radius=0)
    red = (pixels == RED).all(-1)
    assert red[4:6, 12:28].all()
    assert red[24:26, 12:28].all()
    assert red[7:23, 9:11].all()
    assert red[7:23, 29:31].all()
    assert (pixels[7:23, 12:28] == 255).all()
    assert (pixels[:3] == 255).all()


def test_a_plate_is_filled_and_its_corners_are_round() -> None:
    square = drawn(plate, (10, 5, 30, 25), radius=0)
    assert (square[5:25, 10:30] == RED).all()
    assert (square != 255).any(-1).sum() == 400
    pixels = drawn(plate, (10, 5, 30, 25), radius=6)
    assert (pixels[5, 10] == 255).all()
    assert (pixels[15, 10:30] == RED).all()


def test_a_rim_is_a_soft_edge_outside() -> None:
    pixels = drawn(plate, (10, 5, 30, 25), radius=0, rim=Rim(BLACK, 2, 0.5))
    assert (pixels[15, 10:30] == RED).all()
    assert pixels[15, 8:10] == pytest.approx(128, abs=1)
    assert (pixels[15, :7] == 255).all()


@pytest.mark.parametrize("box", [(-20, -20, 60, 50), (35, 25, 70, 60), (-50, -50, -40, -40)])
def test_a_box_beyond_the_image_is_drawn_as_far_as_it_is_there(box) -> None:
    for draw, options in ((frame, {"line": 3, "radius": 4}), (plate, {"radius": 4})):
        assert drawn(draw, box, **options).shape == (30, 40, 3)


def test_half_a_pixel_is_half_covered() -> None:
    pixels = drawn(plate, (10.5, 5, 30, 25), radius=0)
    assert pixels[15, 10, 1] == pytest.approx(128, abs=1)
