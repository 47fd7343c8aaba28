import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo import labels
from zoo.detections import Detections

pytestmark = pytest.mark.filterwarnings("ignore:OpenCV:UserWarning")


def test_supervision_gets_boxes_scores_and_names(street: Detections) -> None:
    theirs = street.to_supervision()
    assert theirs.xyxy.tolist() == street.boxes.tolist()
    assert theirs.class_id.tolist() == street.labels.tolist()
    assert list(theirs.data["class_name"]) == ["car", "person", "dog"]


def test_what_supervision_writes_into_its_arrays_changes_nothing_here(street: Detections) -> None:
    before = Detections.from_json(street.to_json(), label_space="coco80")
    theirs = street.to_supervision()
    theirs.xyxy += 1000
    theirs.confidence *= 0
    theirs.class_id += 1
    assert street.equals(before)


@given(st.data())
@settings(max_examples=30)
def test_supervision_gives_back_what_it_got(any_detections, data) -> None:
    seen = data.draw(any_detections)
    assert Detections.from_supervision(
        seen.to_supervision(), label_space="coco80", size=seen.size
    ).equals(seen)


def test_what_supervision_filtered_comes_back(street: Detections) -> None:
    theirs = street.to_supervision()
    assert Detections.from_supervision(
        theirs[theirs.confidence > 0.45], label_space="coco80", size=street.size
    ).equals(street.top(2))


def test_nothing_seen_comes_back() -> None:
    empty = Detections.empty(labels.get("coco80"))
    assert Detections.from_supervision(empty.to_supervision(), label_space="coco80").equals(empty)


def test_boxes_without_scores_are_refused(street: Detections) -> None:
    theirs = street.to_supervision()
    theirs.confidence = None
    with pytest.raises(ValueError, match="confidence"):
        Detections.from_supervision(theirs, label_space="coco80")
