import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo import labels
from zoo.detections import Detections
from zoo.errors import LabelError


def test_a_record_reads_like_the_command_lines_output(street: Detections) -> None:
    assert json.loads(json.dumps(street[:1].to_json())) == {
        "file": "street.jpg",
        "width": 640,
        "height": 480,
        "detections": [{"box": [1, 1, 11, 11], "score": 0.9, "label": 2, "name": "car"}],
    }


def test_numbers_are_as_short_as_float32_allows(street: Detections) -> None:
    assert '"box": [50.0, 50.0, 60.0, 70.3], "score": 0.44' in json.dumps(street.to_json())


@given(st.data())
def test_a_record_comes_back_exactly(any_detections, data) -> None:
    seen = data.draw(any_detections)
    again = Detections.from_json(json.loads(json.dumps(seen.to_json())), label_space="coco80")
    assert again.equals(seen)
    assert (again.size, again.source) == (seen.size, seen.source)


@given(
    st.lists(st.floats(0, 1, width=32), min_size=1),
    st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=0),
)
def test_every_float_comes_back_to_the_bit(scores: list[float], far: float) -> None:
    seen = Detections.of(
        [[-far, 0, far, far]] * len(scores), scores, [0] * len(scores), label_space=["thing"]
    )
    again = Detections.from_json(json.loads(json.dumps(seen.to_json())), label_space=["thing"])
    assert again.boxes.tolist() == seen.boxes.tolist()
    assert again.scores.tolist() == seen.scores.tolist()


def test_nothing_seen_comes_back() -> None:
    empty = Detections.empty(labels.get("voc20"), size=(3, 4))
    assert Detections.from_json(empty.to_json(), label_space="voc20").equals(empty)


def test_fields_of_other_tools_are_passed_over(street: Detections) -> None:
    record = {**street.to_json(), "model": "yolox_nano", "weights_sha256": "ab"}
    assert Detections.from_json(record, label_space="coco80").equals(street)


@pytest.mark.parametrize("label_space", ["voc20", "coco80"])
def test_a_label_of_another_name_is_refused(label_space: str, street: Detections) -> None:
    record = street.to_json()
    record["detections"][0]["label"] = 3
    with pytest.raises(LabelError, match="It calls label 3 'car', which is not so there"):
        Detections.from_json(record, label_space=label_space)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({}, "detections"),
        (
            {"detections": [{"box": [1, 2, 3], "score": 0.5, "label": 0, "name": "person"}]},
            r"\$.detections\[0\].box",
        ),
        (
            {"detections": [{"box": [1, 2, 3, 4], "score": None, "label": 0, "name": "person"}]},
            r"\$.detections\[0\].score",
        ),
        ([], "not a record"),
    ],
)
def test_what_is_no_record_is_refused_by_field(record, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Detections.from_json(record, label_space="coco80")
