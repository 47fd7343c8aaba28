"""Whether two runs saw the same, but for the rounding of another batch or thread."""

import pytest
import torch

from zoo.detections import Detections
from zoo.testing.conformance.compare import agree, difference


def seen(count: int = 10, *, shift: float = 0.0, fade: float = 0.0, label: int = 0) -> Detections:
    """Boxes far from each other; some of their values may be moved."""
    left = torch.arange(count) * 20.0
    boxes = torch.stack([left + shift, left, left + 10 + shift, left + 10], 1)
    scores = torch.linspace(0.9, 0.5, count) - fade
    return Detections.of(
        boxes, scores, [label] * count, label_space=["cat", "dog"], size=(500, 500)
    )


def test_the_same_agrees_and_so_does_a_rounding() -> None:
    assert agree(seen(), seen())
    assert agree(seen(), seen(shift=0.1, fade=0.005))
    assert agree(seen(0), seen(0))


@pytest.mark.parametrize("other", [seen(shift=5), seen(fade=0.05), seen(label=1), seen(5), seen(0)])
def test_other_boxes_scores_labels_or_numbers_do_not(other: Detections) -> None:
    assert not agree(seen(), other)
    assert not agree(other, seen())


def test_a_fifth_of_the_best_may_be_without_a_partner() -> None:
    whole = seen(20)
    assert agree(whole, whole.top(16))
    assert not agree(whole, whole.top(15))


def test_boxes_without_area_have_partners_too() -> None:
    flat = Detections.of([[5, 5, 5, 9]], [0.9], [0], label_space=["cat"], size=(10, 10))
    assert agree(flat, flat)


def test_what_differs_is_said_in_a_few_words() -> None:
    assert difference(seen(3), seen(2)) == "3 boxes against 2"
    assert difference(seen(), seen(label=1)) == "other labels"
    assert difference(seen(), seen(shift=0.5)) == "boxes up to 0.5 pixels apart, scores up to 0"
    assert difference(seen(0), seen(0)).startswith("nothing in either")
