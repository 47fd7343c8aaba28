import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.detections import Detections, merge
from zoo.errors import LabelError


def test_merged_detections_are_best_first(street: Detections) -> None:
    both = merge([street[1:], street[:1]])
    assert both.equals(street)
    assert both.source == "street.jpg"


def test_merging_other_sources_has_none(street: Detections) -> None:
    other = Detections(
        street.boxes, street.scores, street.labels, street.label_space, street.size, "other.jpg"
    )
    assert merge([street, other]).source is None
    assert len(merge([street, other])) == 6


@given(st.data())
@settings(max_examples=30)
def test_cutting_and_merging_gives_the_same(any_detections, data) -> None:
    seen = data.draw(any_detections)
    assert merge([seen[:2], seen[2:]]).equals(seen)


def test_nothing_can_not_be_merged() -> None:
    with pytest.raises(ValueError, match="at least one"):
        merge([])


def test_other_label_spaces_are_refused_with_the_way_out(street: Detections) -> None:
    other = street.relabel("voc20")
    with pytest.raises(LabelError, match=r"'coco80' and 'voc20'.*\n.*relabel"):
        merge([street, other])
    assert len(merge([street, other.relabel(street.label_space)])) == 6


def test_other_sizes_are_refused(street: Detections) -> None:
    with pytest.raises(ValueError, match="one size"):
        merge([street, street.scaled(2, 2)])
