import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zoo import labels
from zoo.detections import Detections
from zoo.errors import LabelError
from zoo.labels import LabelSpace

ANY = st.data()


def ones(boxes: list[list[float]], scores: list[float] | None = None) -> Detections:
    return Detections.of(
        boxes, scores or [0.5] * len(boxes), [0] * len(boxes), label_space=["thing"]
    )


# making


def test_of_sorts_best_first_and_keeps_ties_in_order() -> None:
    seen = Detections.of(
        [[0, 0, row, 1] for row in range(1, 5)],
        [0.2, 0.9, 0.2, 0.9],
        [0, 1, 2, 3],
        label_space="coco80",
    )
    assert seen.labels.tolist() == [1, 3, 0, 2]
    assert seen.boxes[:, 2].tolist() == [2, 4, 1, 3]


@pytest.mark.parametrize(
    "as_given",
    [
        list,
        np.array,
        torch.tensor,
        lambda rows: np.array(rows, dtype=np.float16),
        lambda rows: torch.tensor(rows).double(),
    ],
    ids=["list", "array", "tensor", "float16 array", "float64 tensor"],
)
def test_of_takes_lists_arrays_and_tensors(as_given, street: Detections) -> None:
    seen = Detections.of(
        as_given([[0, 0, 10, 10], [1, 1, 11, 11]]),
        as_given([0.5, 0.75]),
        as_given([0, 2]),
        label_space="coco80",
    )
    assert (seen.boxes.dtype, seen.scores.dtype, seen.labels.dtype) == (
        torch.float32,
        torch.float32,
        torch.int64,
    )
    assert seen.class_names == ["car", "person"]
    assert seen.scores.tolist() == [0.75, 0.5]


def test_of_takes_read_only_arrays_without_sharing_them() -> None:
    boxes = np.array([[0.0, 0.0, 1.0, 1.0]], dtype=np.float32)
    boxes.flags.writeable = False
    seen = Detections.of(boxes, np.array([0.5]), np.array([0]), label_space=["thing"])
    boxes.flags.writeable = True
    boxes += 5
    assert seen.boxes.tolist() == [[0, 0, 1, 1]]


def test_of_takes_class_names_and_a_plain_list_of_classes() -> None:
    seen = Detections.of([[0, 0, 1, 1]], [0.5], ["vest"], label_space=["helmet", "vest"])
    assert (seen.labels.tolist(), seen.names, seen.label_space.name) == (
        [1],
        ("helmet", "vest"),
        "custom",
    )


@pytest.mark.parametrize(
    "nothing", [[], np.zeros(0), torch.zeros(0)], ids=["list", "array", "tensor"]
)
def test_nothing_makes_empty_detections(nothing) -> None:
    seen = Detections.of(nothing, nothing, nothing, label_space="coco80")
    assert seen.equals(Detections.empty(labels.get("coco80")))
    assert (tuple(seen.boxes.shape), len(seen), seen.class_names, list(seen)) == ((0, 4), 0, [], [])


def test_nothing_is_nothing_whatever_torchs_default_type() -> None:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        seen = Detections.empty(labels.get("coco80"))
    finally:
        torch.set_default_dtype(before)
    assert (seen.boxes.dtype, seen.scores.dtype) == (torch.float32, torch.float32)


@pytest.mark.parametrize(
    ("boxes", "scores", "numbers", "said"),
    [
        ([[0, 0, 1]], [0.5], [0], r"boxes must be \(1, 4\) .* got \(1, 3\)"),
        ([[0, 0, 1, 1]], [0.5, 0.4], [0], "one length, got 1, 2 and 1"),
        ([[0, 0, 1, 1]], [0.5], [0.5], "whole numbers"),
        ([[0, 0, 1, 1]], [1.5], [0], "sigmoid"),
        ([[0, 0, 1, 1]], [-0.5], [0], "sigmoid"),
        ([[0, 0, 1, 1]], [float("nan")], [0], "scores"),
        ([[0, 0, 1, 1], [0, 0, 1, 1]], [float("nan"), 0.5], [0, 0], "NaN"),
        (
            [[0, 0, 1, 1], [5, 5, 3, 6]],
            [0.9, 0.5],
            [0, 0],
            r"box 1 is \[5, 5, 3, 6\]; zoo.boxes converts",
        ),
        ([[0, 0, float("inf"), 1]], [0.5], [0], "box 0 is"),
        ([[0, float("nan"), 1, 1]], [0.5], [0], "box 0 is"),
    ],
)
def test_what_is_no_detection_is_refused(
    boxes: list, scores: list, numbers: list, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Detections.of(boxes, scores, numbers, label_space="coco80")


@pytest.mark.parametrize("label", [-1, 80, 90])
def test_a_label_outside_its_space_is_refused(label: int) -> None:
    with pytest.raises(LabelError, match=f"Label {label} is outside"):
        Detections.of([[0, 0, 1, 1]], [0.5], [label], label_space="coco80")


def test_the_constructor_wants_the_right_types_and_order() -> None:
    label_space = labels.get("coco80")
    box, score, label = (
        torch.tensor([[0.0, 0, 1, 1], [0, 0, 2, 2]]),
        torch.tensor([0.5, 0.9]),
        torch.tensor([0, 1]),
    )
    with pytest.raises(ValueError, match="best first"):
        Detections(box, score, label, label_space)
    with pytest.raises(
        ValueError, match=r"labels must be torch.int64, got torch.int32; Detections.of"
    ):
        Detections(box, score.flip(0), label.int(), label_space)
    with pytest.raises(ValueError, match=r"boxes must be \(2, 4\)"):
        Detections(box.T, score.flip(0), label, label_space)


def test_detections_are_frozen(street: Detections) -> None:
    with pytest.raises(AttributeError):
        street.scores = torch.zeros(3)  # type: ignore[misc]


# looking


def test_the_repr_names_the_image_and_the_best(street: Detections) -> None:
    assert repr(street) == "Detections(3 in 'street.jpg' 640x480: car 0.90, person 0.50, dog 0.44)"
    assert repr(ones([[0, 0, 1, 1]] * 7)) == f"Detections(7: {'thing 0.50, ' * 5}… 2 more)"
    assert repr(Detections.empty(labels.get("coco80"))) == "Detections(0)"


def test_one_by_one_gives_detections_of_one(street: Detections) -> None:
    assert [one.class_names for one in street] == [["car"], ["person"], ["dog"]]
    assert all(one.source == "street.jpg" and len(one) == 1 for one in street)


@pytest.mark.parametrize(
    ("keep", "names"),
    [
        (0, ["car"]),
        (-1, ["dog"]),
        (np.int64(1), ["person"]),
        (slice(1, None), ["person", "dog"]),
        (slice(0, 0), []),
        (torch.tensor([True, False, True]), ["car", "dog"]),
        (torch.tensor([2, 0]), ["car", "dog"]),
        (torch.tensor([-1, 0]), ["car", "dog"]),
        (torch.tensor(2), ["dog"]),
        (torch.tensor([], dtype=torch.int64), []),
        ([2, 0], ["car", "dog"]),
        ([-1], ["dog"]),
        ([], []),
        (range(2), ["car", "person"]),
        ([True, False, True], ["car", "dog"]),
        (np.array([2, 0]), ["car", "dog"]),
        (np.array([False, True, False]), ["person"]),
        (np.array(1), ["person"]),
        (slice(None, None, -2), ["car", "dog"]),
    ],
    ids=str,
)
def test_picked_rows_stay_best_first(keep, names: list[str], street: Detections) -> None:
    assert street[keep].class_names == names


@pytest.mark.parametrize(
    "keep",
    [
        3,
        -4,
        [0, 3],
        np.array([-4]),
        [True],
        torch.tensor([3]),
        torch.tensor([-4]),
        torch.tensor([True]),
    ],
    ids=str,
)
def test_a_row_that_is_not_there_is_an_index_error(keep, street: Detections) -> None:
    with pytest.raises(IndexError):
        street[keep]


def test_equal_is_what_saw_the_same(street: Detections) -> None:
    other = Detections.from_json(street.to_json(), label_space="coco80")
    assert street.equals(other)
    assert street.equals(
        Detections(
            other.boxes, other.scores, other.labels, other.label_space, other.size, "elsewhere.png"
        )
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda seen: seen[:2],
        lambda seen: seen.shifted(1, 0, size=seen.size),
        lambda seen: seen.shifted(0, 0, size=(1, 1)),
        lambda seen: seen.relabel("coco91"),
        lambda seen: Detections(
            seen.boxes, seen.scores * 0.5, seen.labels, seen.label_space, seen.size
        ),
        lambda seen: Detections(
            seen.boxes, seen.scores, seen.labels + 1, seen.label_space, seen.size
        ),
    ],
    ids=["fewer", "moved", "another size", "another space", "other scores", "other labels"],
)
def test_unequal_is_what_differs_anywhere(change, street: Detections) -> None:
    assert not street.equals(change(street))


def test_equal_can_be_within_a_tolerance(street: Detections) -> None:
    moved = street.shifted(0.01, 0, size=street.size)
    assert street.equals(moved, tolerance=0.02)
    assert not street.equals(moved, tolerance=0.001)


# choosing


def test_above_includes_the_score_itself(street: Detections) -> None:
    assert street.above(0.5).class_names == ["car", "person"]


def test_top_is_the_best_ones(street: Detections) -> None:
    assert [street.top(count).class_names for count in (0, 1, 9)] == [
        [],
        ["car"],
        ["car", "person", "dog"],
    ]


def test_classes_are_chosen_by_name(street: Detections) -> None:
    assert street.of_classes("dog", "car").class_names == ["car", "dog"]
    assert street.of_classes("zebra").class_names == []
    assert street.of_classes().class_names == []


def test_an_unknown_class_gets_the_near_names(street: Detections) -> None:
    with pytest.raises(LabelError, match="'dog'"):
        street.of_classes("Dog")


def test_inside_is_wholly_inside_unless_a_fraction_is_given() -> None:
    seen = ones([[0, 0, 10, 10], [5, 0, 15, 10], [9, 0, 19, 10]], [0.9, 0.8, 0.7])
    assert [
        len(seen.inside((0, 0, 10, 10), fraction=fraction)) for fraction in (1.0, 0.5, 0.1, 0.05)
    ] == [1, 2, 3, 3]


def test_a_box_without_area_is_inside_where_it_touches() -> None:
    seen = ones([[5, 5, 5, 5], [20, 20, 20, 20]])
    assert seen.inside((0, 0, 10, 10)).boxes.tolist() == [[5, 5, 5, 5]]


def test_a_region_of_x_y_width_height_is_refused() -> None:
    with pytest.raises(ValueError, match="x1 y1 x2 y2"):
        ones([]).inside((50, 50, 10, 10))


@given(ANY)
def test_everything_is_inside_its_own_hull(any_detections, data) -> None:
    seen = data.draw(any_detections)
    if len(seen):
        corners = (
            *seen.boxes[:, :2].min(0).values.tolist(),
            *seen.boxes[:, 2:].max(0).values.tolist(),
        )
        assert len(seen.inside(corners)) == len(seen)


def test_larger_than_counts_square_pixels() -> None:
    seen = ones([[0, 0, 32, 32], [0, 0, 33, 32]])
    assert seen.larger_than(32**2).boxes.tolist() == [[0, 0, 33, 32]]


# moving and renaming


def test_scaling_moves_boxes_and_size(street: Detections) -> None:
    small = street.scaled(0.5, 0.25)
    assert small.boxes[0].tolist() == [0.5, 0.25, 5.5, 2.75]
    assert small.size == (120, 320)


def test_a_tile_is_shifted_into_its_image(street: Detections) -> None:
    whole = street.shifted(100, 200, size=(1000, 2000))
    assert whole.boxes[0].tolist() == [101, 201, 111, 211]
    assert whole.size == (1000, 2000)
    assert street.shifted(1, 1).size is None


def test_relabelling_goes_by_name(street: Detections) -> None:
    voc = street.relabel("voc20")
    assert voc.class_names == ["car", "person", "dog"]
    assert voc.label_space is labels.get("voc20")
    assert voc.labels.tolist() == [
        labels.get("voc20").label(name) for name in ("car", "person", "dog")
    ]


def test_relabelling_refuses_to_lose_a_class(street: Detections) -> None:
    with pytest.raises(LabelError, match="no class is called car, person"):
        street.relabel(["dog", "cat"])


def test_relabelling_may_drop_what_does_not_meet(street: Detections) -> None:
    assert street.relabel(["cat", "dog"], unknown="drop").class_names == ["dog"]


def test_classes_nobody_saw_do_not_hinder_relabelling(street: Detections) -> None:
    assert street.relabel(LabelSpace.custom(["dog", "car", "person"])).labels.tolist() == [1, 2, 0]


@given(ANY)
def test_every_choice_keeps_the_promises(any_detections, data) -> None:
    seen = data.draw(any_detections)
    chosen = [
        seen.above(0.5),
        seen.top(2),
        seen[1:],
        seen[seen.labels % 2 == 0],
        seen.larger_than(10),
        seen.scaled(0.5, 2),
    ]
    for some in [*chosen, seen.shifted(3, 4), seen.suppress(), *seen]:
        Detections(some.boxes, some.scores, some.labels, some.label_space)
