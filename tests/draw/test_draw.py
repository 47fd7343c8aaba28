import numpy as np
import PIL.Image
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from zoo.detections import Detections
from zoo.draw import draw
from zoo.draw.palette import LIGHT, PALETTE, color_of, contrast
from zoo.draw.style import style_for
from zoo.errors import ImageError, UsageError
from zoo.labels.space import tidy

NAMES = ["person", "car", "dog", "traffic light"]


def gray(height: int = 480, width: int = 640) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 120, dtype=np.uint8)


def noise(height: int = 480, width: int = 640) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def seen(*boxes: tuple[float, float, float, float], labels: list[int] | None = None) -> Detections:
    scores = [0.9 - 0.01 * row for row in range(len(boxes))]
    return Detections.of(
        boxes, scores, labels or [row % 4 for row in range(len(boxes))], label_space=NAMES
    )


def pixels(image: PIL.Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image)


@pytest.mark.parametrize(("height", "width"), [(240, 320), (480, 640), (3000, 4000)])
def test_the_middle_of_every_edge_has_the_class_colour(height: int, width: int) -> None:
    x1, y1, x2, y2 = (
        round(width * 0.25),
        round(height * 0.3),
        round(width * 0.75),
        round(height * 0.8),
    )
    drawn = pixels(draw(gray(height, width), seen((x1, y1, x2, y2), labels=[2])))
    for x, y in (
        ((x1 + x2) // 2, y2),
        (x1, (y1 + y2) // 2),
        (x2, (y1 + y2) // 2),
        (x2 - (x2 - x1) // 8, y1),
    ):
        assert tuple(drawn[y, x]) == color_of(2)


@pytest.mark.parametrize("corner", [(0, 0), (1, 0), (0, 1), (1, 1)])
@pytest.mark.parametrize(("wide", "tall"), [(200, 150), (20, 15)])
def test_every_letter_of_a_box_in_a_corner_is_visible(
    corner: tuple[int, int], wide: int, tall: int
) -> None:
    """Indigo has white letters, and nothing else in the image is white."""
    x, y = corner[0] * (640 - wide), corner[1] * (480 - tall)
    there = pixels(draw(gray(), seen((x, y, x + wide, y + tall), labels=[1]), text=24))
    amid = pixels(draw(gray(), seen((250, 250, 250 + wide, 250 + tall), labels=[1]), text=24))
    letters = (amid == LIGHT).all(2).sum()
    assert letters > 50
    assert (there == LIGHT).all(2).sum() == letters


@pytest.mark.parametrize("box", [(0, 0, 640, 480), (-50, -50, 700, 600)])
def test_the_frame_of_the_whole_image_is_visible_on_all_sides(box) -> None:
    drawn = pixels(draw(gray(), seen(box, labels=[1])))
    for row, column in ((240, 0), (240, 639), (479, 320), (0, 500)):
        assert tuple(drawn[row, column]) == color_of(1)


def test_nothing_seen_leaves_the_image_as_it_is() -> None:
    assert np.array_equal(pixels(draw(noise(), seen())), noise())


@pytest.mark.parametrize(
    "form",
    [
        lambda array: array,
        lambda array: torch.from_numpy(array.transpose(2, 0, 1).copy()),
        PIL.Image.fromarray,
    ],
    ids=["array", "tensor", "PIL"],
)
def test_every_form_of_an_image_gives_the_same_drawing_and_stays_unchanged(form) -> None:
    given_form = form(noise())
    drawn = draw(given_form, seen((10, 10, 300, 300)))
    assert (drawn.mode, drawn.size) == ("RGB", (640, 480))
    assert np.array_equal(pixels(drawn), pixels(draw(noise(), seen((10, 10, 300, 300)))))
    back = (
        given_form.numpy().transpose(1, 2, 0)
        if isinstance(given_form, torch.Tensor)
        else np.asarray(given_form)
    )
    assert np.array_equal(back, noise())


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1"])
def test_every_mode_of_pil_becomes_rgb(mode: str) -> None:
    image = PIL.Image.fromarray(gray()).convert(mode)
    assert draw(image, seen((10, 10, 300, 300))).mode == "RGB"
    assert image.mode == mode


@pytest.mark.parametrize(
    "image",
    [
        torch.zeros(4, 5, 3, dtype=torch.uint8),
        torch.zeros(3, 4, 5),
        np.zeros((4, 5), np.uint8),
        np.zeros((0, 5, 3), np.uint8),
    ],
    ids=["channels last", "floats", "gray", "no pixels"],
)
def test_what_is_no_image_is_refused(image) -> None:
    with pytest.raises(ImageError, match=r"3, height, width"):
        draw(image, seen())


def test_an_image_of_another_size_is_refused() -> None:
    small = Detections.of([[0, 0, 5, 5]], [0.5], [0], label_space=NAMES, size=(240, 320))
    with pytest.raises(ImageError, match=r"scaled\(2, 2\)"):
        draw(gray(480, 640), small)


def test_lines_and_letters_grow_with_the_image() -> None:
    sizes = [(240, 320), (720, 960), (3000, 4000)]
    styles = [style_for(*size, count=5) for size in sizes]
    assert styles[0].line < styles[1].line < styles[2].line
    assert styles[0].text < styles[1].text < styles[2].text
    thick = []
    for height, width in sizes:
        drawn = pixels(
            draw(
                gray(height, width),
                seen((width * 0.25, height * 0.25, width * 0.75, height * 0.75)),
            )
        )
        thick.append(int((drawn[height // 2, : width // 2] == color_of(0)).all(1).sum()))
    assert thick[0] < thick[1] < thick[2]
    assert thick[2] == pytest.approx(styles[2].line, abs=1.5)


def test_a_small_box_is_not_filled_up_by_its_frame() -> None:
    drawn = pixels(draw(gray(3000, 4000), seen((2000, 1500, 2040, 1540))))
    assert tuple(drawn[1520, 2020]) == (120, 120, 120)


def test_line_and_letters_can_be_chosen() -> None:
    drawn = pixels(draw(gray(), seen((100, 100, 500, 400)), line=20, text=40))
    assert (drawn[300, 80:120] == color_of(0)).all(1).sum() >= 19
    assert (drawn == color_of(0)).all(2)[40:88].sum() > 3000


@pytest.mark.parametrize(
    ("tracks", "case"),
    [
        ([1, 2, 3], "They are 3, for 1 detection"),
        ([], "They are 0, for 1 detection"),
        (["a"], "whole numbers"),
        (7, "whole numbers"),
    ],
    ids=str,
)
def test_tracks_that_do_not_belong_to_the_detections_are_refused(tracks: object, case: str) -> None:
    with pytest.raises(UsageError, match=case) as caught:
        draw(gray(), seen((0, 0, 9, 9)), tracks=tracks)  # type: ignore[arg-type]
    assert caught.value.fix


def test_tracks_may_be_an_array_of_numbers() -> None:
    box = seen((100, 100, 500, 400))
    assert draw(gray(), box, tracks=np.array([3])) == draw(gray(), box, tracks=[3])  # type: ignore[arg-type]


def test_the_best_is_on_top() -> None:
    across, down = (100, 200, 500, 300), (200, 100, 300, 400)
    first = pixels(draw(gray(), seen(across, down, labels=[0, 1])))
    second = pixels(draw(gray(), seen(down, across, labels=[1, 0])))
    assert tuple(first[200, 300]) == color_of(0)
    assert tuple(second[200, 300]) == color_of(1)


@pytest.mark.parametrize("label", range(len(PALETTE)))
def test_a_frame_shows_on_every_background(label: int) -> None:
    names = [str(number) for number in range(len(PALETTE))]
    box = Detections.of([[100, 100, 500, 400]], [0.5], [label], label_space=names)
    for ground in (*PALETTE, (255, 255, 255), (0, 0, 0), (120, 120, 120)):
        drawn = pixels(draw(np.full((480, 640, 3), ground, dtype=np.uint8), box))
        crossing = {tuple(int(value) for value in pixel) for pixel in drawn[300, 90:110]}
        assert max(contrast(ground, pixel) for pixel in crossing) > 1.5


def test_lines_are_crisp_and_corners_smooth() -> None:
    drawn = pixels(
        draw(np.zeros((480, 640, 3), np.uint8), seen((100.4, 100, 500, 400), labels=[2]))
    )
    rim = tuple(int(value) for value in drawn[300, 90])
    assert {tuple(int(value) for value in pixel) for pixel in drawn[300, 90:110]} == {
        rim,
        color_of(2),
    }
    assert len({tuple(pixel) for pixel in drawn[395:405, 495:505].reshape(-1, 3)}) > 5


def test_scores_can_be_left_out() -> None:
    box = seen((100, 100, 500, 400), labels=[1])
    with_score, without = (draw(gray(), box, scores=scores, text=24) for scores in (True, False))
    plates = [(pixels(drawn)[:90] == color_of(1)).all(2).sum() for drawn in (without, with_score)]
    assert 0 < plates[0] < plates[1]


def test_the_same_is_drawn_again() -> None:
    box = seen((10, 10, 300, 300), (20, 20, 400, 400))
    assert draw(noise(), box).tobytes() == draw(noise(), box).tobytes()


WORDS = st.text(st.characters(exclude_categories=["C"]), min_size=1).map(tidy).filter(bool)


@given(st.lists(WORDS, min_size=1, max_size=3, unique=True))
@settings(max_examples=40)
@pytest.mark.filterwarnings("ignore::zoo.fonts.FontWarning")
def test_any_class_name_is_drawn(names: list[str]) -> None:
    every = Detections.of(
        [[20, 40, 60, 90]] * len(names), [0.5] * len(names), names, label_space=names
    )
    assert draw(gray(120, 160), every).size == (160, 120)


@pytest.mark.parametrize("width", [200, 640])
def test_a_long_name_is_cut_to_the_image_and_to_forty_letters(width: int) -> None:
    long = Detections.of([[20, 40, 60, 90]], [0.5], [0], label_space=["a very long name " * 20])
    columns = (pixels(draw(gray(480, width), long)) == color_of(0)).all(2).any(0).sum()
    assert 0.4 * 640 < columns < 0.7 * 640 if width == 640 else columns > 180


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 2000), (2000, 1), (10, 20), (3, 3)])
def test_tiny_and_thin_images_are_drawn_on(height: int, width: int) -> None:
    boxes = seen((0, 0, width, height), (width / 2, height / 2, width / 2, height / 2))
    assert draw(gray(height, width), boxes).size == (width, height)


def test_a_missing_font_is_named() -> None:
    with pytest.raises(UsageError, match=r"nowhere\.ttf"):
        draw(gray(), seen((0, 0, 9, 9)), font="nowhere.ttf")
