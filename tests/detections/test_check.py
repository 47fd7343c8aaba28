"""What no `Detections` can hold is refused with the row and what to pass."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from zoo.detections import Detections
from zoo.detections.check import check, check_boxes
from zoo.errors import LabelError
from zoo.labels import LabelSpace

SPACE = LabelSpace.custom(["cat", "dog"])


def checked(**changes: object) -> None:
    columns: dict[str, object] = {
        "boxes": torch.tensor([[0.0, 0, 2, 2], [1, 1, 1, 3]]),
        "scores": torch.tensor([0.9, 0.9]),
        "labels": torch.tensor([1, 0]),
        "label_space": SPACE,
    }
    check(**(columns | changes))  # type: ignore[arg-type]


def test_sound_columns_pass() -> None:
    checked()
    empty = {"boxes": torch.zeros(0, 4), "scores": torch.zeros(0)}
    checked(**empty, labels=torch.zeros(0, dtype=torch.int64))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"boxes": torch.zeros(3, 4)}, r"boxes must be \(2, 4\) to match 2 scores, got \(3, 4\)"),
        ({"labels": torch.zeros(2, 1, dtype=torch.int64)}, r"labels must be \(2,\)"),
        ({"scores": torch.zeros(2, dtype=torch.float64)}, "scores must be torch.float32"),
        ({"labels": torch.zeros(2, dtype=torch.int32)}, "labels must be torch.int64"),
        ({"scores": torch.tensor([0.5, 0.9])}, "scores must descend"),
        ({"scores": torch.tensor([0.5, float("nan")])}, "none be NaN"),
        ({"scores": torch.tensor([1.5, 0.9])}, r"\[0, 1\], got 0.9 to 1.5"),
        ({"scores": torch.tensor([0.5, -0.1])}, "got -0.1 to 0.5"),
    ],
)
def test_shapes_types_and_scores_are_checked(changes: dict[str, Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked(**changes)


def test_a_lone_score_that_is_not_a_number_is_seen() -> None:
    one = {"boxes": torch.zeros(1, 4), "labels": torch.zeros(1, dtype=torch.int64)}
    with pytest.raises(ValueError, match="scores must lie"):
        checked(**one, scores=torch.tensor([float("nan")]))


@pytest.mark.parametrize(
    "box", [[2.0, 0, 1, 1], [0, 2, 1, 1], [0, 0, float("inf"), 1], [float("nan"), 0, 1, 1]]
)
def test_the_first_wrong_box_is_shown(box: list[float]) -> None:
    with pytest.raises(ValueError, match=r"but box 1 is \["):
        check_boxes(torch.tensor([[0.0, 0, 1, 1], box, box]))


@pytest.mark.parametrize(("labels", "shown"), [([0, 2], 2), ([-1, 0], -1)])
def test_a_label_outside_the_space_is_named(labels: list[int], shown: int) -> None:
    with pytest.raises(LabelError, match=rf"Label {shown} is outside it: it has 2 classes, 0\.\.1"):
        checked(labels=torch.tensor(labels))


def test_other_things_than_tensors_and_spaces_are_refused() -> None:
    with pytest.raises(TypeError, match=r"scores must be a tensor, got a list"):
        checked(scores=[0.9, 0.9])
    with pytest.raises(TypeError, match="label_space must be a LabelSpace, got a list"):
        checked(label_space=["cat", "dog"])


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        ("person", r"of_classes\('person'\)"),
        (["person"], "picked by a position"),
        ((0, 2), r"write \[\[0, 2\]\]"),
        (1.0, "picked by a position"),
        ([0.5], "picked by a position"),
        (torch.tensor([0.5]), "picked by a position"),
        ([[0], [1, 2]], "picked by a position"),
        (True, "picked by a position"),
        (None, "picked by a position"),
        ({0, 1}, "picked by a position"),
    ],
    ids=str,
)
def test_what_picks_no_rows_is_told_what_does(keep, said: str, street: Detections) -> None:
    with pytest.raises(TypeError, match=said):
        street[keep]


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda seen: seen.above(NAN), r"above\(\) was given nan"),
        (lambda seen: seen.above(1.5), "between 0 and 1"),
        (lambda seen: seen.above(-0.1), "between 0 and 1"),
        (lambda seen: seen.top(-1), "at least 0"),
        (lambda seen: seen.larger_than(-1), "at least 0"),
        (lambda seen: seen.larger_than(NAN), "at least 0"),
        (lambda seen: seen.inside((0, 0, 1, 1), fraction=2), "between 0 and 1"),
        (lambda seen: seen.inside((0, 0, NAN, 1)), "x1 <= x2"),
        (lambda seen: seen.inside((9, 0, 1, 1)), "x1 <= x2"),
        (lambda seen: seen.scaled(0, 1), "above 0"),
        (lambda seen: seen.scaled(1, -1), "above 0"),
        (lambda seen: seen.scaled(NAN, 1), "above 0"),
        (lambda seen: seen.scaled(INF, 1), "above 0"),
        (lambda seen: seen.shifted(NAN, 0), "number of pixels"),
        (lambda seen: seen.shifted(0, 0, size=(0, 5)), "at least 1"),
        (lambda seen: seen.shifted(0, 0, size=(-5, 5)), "at least 1"),
        (lambda seen: seen.equals(seen, tolerance=-1), "at least 0"),
        (lambda seen: seen.relabel("coco80", unknown="ignore"), "'drop' drops it"),
        (lambda seen: seen.suppress(iou=NAN), "between 0 and 1"),
        (lambda seen: seen.suppress("soft", sigma=NAN), "above 0"),
        (lambda seen: seen.suppress("fuse", models=0), "at least 1"),
    ],
)
def test_a_number_out_of_range_is_refused(call, said: str, street: Detections) -> None:
    with pytest.raises(ValueError, match=said):
        call(street)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda seen: seen.above("x"), "'x', a str: a score"),
        (lambda seen: seen.above(True), "True, a bool"),
        (lambda seen: seen.above(None), "None"),
        (lambda seen: seen.top(1.5), "1.5, a float: a number of detections"),
        (lambda seen: seen.top("2"), "a str"),
        (lambda seen: seen.inside("abcd"), "a region is"),
        (lambda seen: seen.inside((0, 0, 1)), "a region is"),
        (lambda seen: seen.inside(5), "a region is"),
        (lambda seen: seen.scaled("2", 1), "a str"),
        (lambda seen: seen.shifted(None, 1), "None"),
        (lambda seen: seen.shifted(1, 1, size=5), "a size is"),
        (lambda seen: seen.shifted(1, 1, size=(4.5, 5)), "a size is"),
        (lambda seen: seen.equals(5), "an int: it compares"),
        (lambda seen: seen.suppress(iou="a"), "a str"),
        (lambda seen: seen.suppress("fuse", models=1.5), "a float"),
        (lambda seen: seen.to_coco(None), "None: an image id"),
        (lambda seen: seen.to_coco("a"), "an image id"),
        (lambda seen: seen.to_coco(1.5), "an image id"),
        (lambda seen: seen.to_coco(True), "an image id"),
    ],
)
def test_what_is_no_such_value_is_named(call, said: str, street: Detections) -> None:
    with pytest.raises(TypeError, match=said):
        call(street)


def test_numbers_of_numpy_and_torch_are_numbers(street: Detections) -> None:
    assert (
        street.above(np.float32(0.5)).class_names
        == street.above(torch.tensor(0.5)).class_names
        == ["car", "person"]
    )
    assert len(street.top(np.int64(2))) == len(street.top(torch.tensor(2))) == 2
    assert street.shifted(0, 0, size=(np.int32(4), np.int64(5))).size == (4, 5)


def test_coco_results_with_numpy_ids_and_a_path_as_source_can_be_written_as_json() -> None:
    seen = Detections.of(
        [[0, 0, 1, 1]],
        [0.5],
        [0],
        label_space="coco80",
        size=np.array([4, 5]),
        source=Path("a.jpg"),
    )
    assert json.loads(json.dumps(seen.to_coco(np.int64(7))))[0]["image_id"] == 7
    assert json.loads(json.dumps(seen.to_json()))["file"] == "a.jpg"


@pytest.mark.parametrize(
    ("boxes", "scores", "numbers", "said"),
    [
        ([[0, 0, 1, 1], [0, 0]], [0.5, 0.5], [0, 0], "boxes must be a row"),
        (None, [0.5], [0], "boxes must be a row"),
        ([[0, 0, 1, 1]], ["high"], [0], "scores must be a number"),
        ([[0, 0, 1, 1]], [True], [0], "scores must be a number"),
        ([[0, 0, 1, 1]], 0.5, [0], "scores must be a number"),
        ([[0, 0, 1, 1]], [0.5], [None], "labels must be a class name"),
        ([[0, 0, 1, 1]], [0.5], 0, "labels must be a class name"),
        ([[0, 0, 1, 1]], [0.5], [True], "labels must be a class name"),
    ],
)
def test_what_is_no_column_is_named(boxes, scores, numbers, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        Detections.of(boxes, scores, numbers, label_space="coco80")


@pytest.mark.parametrize("names", [["person", 3], ("person",), {"person"}])
def test_a_list_of_classes_is_told_to_be_taken_apart(names, street: Detections) -> None:
    with pytest.raises(LabelError, match=r"of_classes\(\*names\)"):
        street.of_classes(names)


def test_a_class_by_number_is_told_its_name(street: Detections) -> None:
    with pytest.raises(LabelError, match="Label 2 is 'car'"):
        street.of_classes(2)  # type: ignore[arg-type]


def test_detections_are_made_in_a_label_space(street: Detections) -> None:
    with pytest.raises(TypeError, match=r"Detections\.of"):
        Detections(street.boxes, street.scores, street.labels, "coco80")  # type: ignore[arg-type]
