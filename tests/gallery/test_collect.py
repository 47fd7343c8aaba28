"""Pages that are gathered while detections are made: evenly chosen, in order, with what failed."""

from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.detections import Detections
from zoo.errors import ImageError, UsageError
from zoo.gallery import Collection, save
from zoo.gallery.collect import MOST_BOXES
from zoo.images import Image, read


def pair(number: int, boxes: int = 1) -> tuple[Image, Detections]:
    """A gray image and detections in it."""
    pixels = np.full((40, 80, 3), number % 256, np.uint8)
    corners = [[8, 4, 40, 36]] * boxes
    scores = np.linspace(0.75, 0.5, boxes)
    seen = Detections.of(
        corners, scores, [1] * boxes, label_space=["a", "b"], size=(40, 80), source=f"{number}.png"
    )
    return read(pixels), seen


def collected(count: int, most: int) -> Collection:
    collection = Collection(count, most=most)
    pairs = [pair(number) for number in range(count)]
    for image, seen in pairs[::-1]:  # batches come in an order of their own
        collection.look(image.pixels, seen)
    for _, seen in pairs:
        collection.add(seen)
    return collection


@pytest.mark.parametrize(("count", "most"), [(10, 10), (10, 3), (3, 10), (101, 10)])
def test_an_even_choice_of_the_images_is_shown_in_their_order(count: int, most: int) -> None:
    gallery = collected(count, most).gallery(title="t")
    numbers = [int(image.name.removesuffix(".png")) for image in gallery.images]
    assert len(numbers) == min(count, most)
    assert numbers == sorted(numbers)
    steps = np.diff(numbers)
    assert steps.max() - steps.min() <= 1
    assert gallery.total == count
    assert bool(gallery.chosen) == (count > most)


@pytest.mark.parametrize(("count", "most"), [(3, 10), (10, 10), (11, 10), (101, 10), (5, 1)])
def test_of_a_clip_whose_length_nobody_knows_an_even_choice_is_shown(count: int, most: int) -> None:
    collection = Collection(None, most=most)
    for number in range(count):
        image, seen = pair(number)
        collection.look(image.pixels, seen)
        collection.add(seen, name=f"{number}")
    gallery = collection.gallery(title="t")
    numbers = [int(image.name) for image in gallery.images]
    assert min(count, (most + 1) // 2) <= len(numbers) <= most
    assert numbers == list(range(0, count, numbers[1] if len(numbers) > 1 else count))
    assert gallery.total == count


def test_boxes_are_in_parts_of_the_image() -> None:
    [shown] = collected(1, 1).gallery(title="t", lowest=0.3).images
    assert shown.found == ((1, 7500, 1000, 1000, 4000, 8000, -1),)
    assert (shown.width, shown.height) == (80, 40)


def test_of_very_many_boxes_the_best_are_shown_and_the_rest_counted() -> None:
    collection = Collection(1)
    image, seen = pair(0, MOST_BOXES + 7)
    collection.look(image.pixels, seen)
    collection.add(seen)
    [shown] = collection.gallery(title="t").images
    assert len(shown.found) == MOST_BOXES
    assert shown.more == 7


def test_images_that_failed_are_named() -> None:
    collection = Collection(2)
    collection.fail(ImageError("Asked.", "It is cut short.", "Fix.", file="a.jpg"))
    assert collection.gallery(title="t").unreadable == (("a.jpg", "It is cut short."),)


@pytest.mark.parametrize("most", [0, 2001, True, 2.5])
def test_a_number_of_images_that_no_page_has_is_refused(most: int) -> None:
    with pytest.raises(UsageError, match="1 to 2,000"):
        Collection(5, most=most)


def test_images_and_detections_are_saved_as_a_page(tmp_path: Path) -> None:
    pairs = [(image.pixels, seen) for image, seen in map(pair, range(3))]
    written = save(pairs, tmp_path / "a.html", most=2, facts={"model": "mine"})
    assert str(written).endswith("MB, 2 of 3 images)")
    assert "0.png" not in (tmp_path / "a.html").read_text()
    assert "2.png" in (tmp_path / "a.html").read_text()
    assert zoo.gallery.save is save
