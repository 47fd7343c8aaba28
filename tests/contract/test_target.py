"""What is known of an annotated object has a row per box, also in pixels of the input."""

import pytest
import torch
from torch import Tensor

from zoo.contract.batch import Batch, InputTransform
from zoo.contract.target import Target, targets_to_input
from zoo.errors import LabelError
from zoo.labels import LabelSpace

TWO_BOXES, TWO_LABELS = torch.tensor([[0.0, 0, 4, 4], [1, 1, 1, 3]]), torch.tensor([0, 1])


def test_what_is_known_goes_with_its_box() -> None:
    ids, crowd = torch.tensor([7, 9]), torch.tensor([False, True])
    masks = torch.zeros(2, 8, 8, dtype=torch.bool)
    target = Target(
        TWO_BOXES, TWO_LABELS, crowd=crowd, area=torch.tensor([16.0, 1.0]), ids=ids, masks=masks
    )
    place = InputTransform(8, 8, scale_y=2.0, scale_x=2.0)
    batch = Batch(torch.zeros(1, 3, 16, 16), (place,))
    [found] = targets_to_input(batch, [target], LabelSpace("custom", ("cat", "dog")))
    assert found.boxes.tolist() == [[0.0, 0.0, 8.0, 8.0]]  # the other one has no width
    assert found.ids is not None
    assert found.ids.tolist() == [7]
    assert found.masks is not None
    assert found.masks.shape == (1, 8, 8)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"crowd": torch.tensor([1, 0])}, "crowd must be a tensor of torch.bool"),
        ({"ids": torch.tensor([1])}, r"ids has a row per box, 2, got \(1,\)"),
        (
            {"masks": torch.zeros(2, 8, dtype=torch.bool)},
            r"masks has a row per box, 2, got \(2, 8\)",
        ),
    ],
)
def test_columns_of_another_type_or_shape_are_refused(
    column: dict[str, torch.Tensor], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Target(TWO_BOXES, TWO_LABELS, **column)


SPACE = LabelSpace.custom(["a", "b"])
PLACE = InputTransform(height=100, width=200, scale_y=0.5, scale_x=0.25, top=3.0, left=1.0)


def batch_of(*places: InputTransform) -> Batch:
    return Batch(torch.zeros(len(places), 3, 64, 64), places)


def test_boxes_go_where_the_image_went() -> None:
    (found,) = targets_to_input(
        batch_of(PLACE), [Target(torch.tensor([[8.0, 10, 40, 20]]), torch.tensor([1]))], SPACE
    )
    assert found.boxes.tolist() == [[3, 8, 11, 13]]
    assert found.labels.tolist() == [1]


def test_boxes_without_area_are_left_out_with_their_labels() -> None:
    boxes = torch.tensor([[5.0, 5, 5, 9], [1, 1, 9, 9], [3, 7, 8, 7], [2, 2, 2, 2]])
    (found,) = targets_to_input(batch_of(PLACE), [Target(boxes, torch.tensor([0, 1, 0, 0]))], SPACE)
    assert found.labels.tolist() == [1]
    assert tuple(found.boxes.shape) == (1, 4)


def test_a_box_without_area_on_the_edge_is_left_out_too() -> None:
    boxes = torch.tensor([[200.0, 0, 200, 5], [0, 100, 9, 100], [0, 0, 0, 0], [1, 1, 9, 9]])
    target = Target(boxes, torch.tensor([0, 0, 0, 1]))
    (found,) = targets_to_input(batch_of(PLACE), [target], SPACE)
    assert found.labels.tolist() == [1]


def test_an_image_without_objects_stays_one() -> None:
    nothing = Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    (found,) = targets_to_input(batch_of(PLACE), [nothing], SPACE)
    assert tuple(found.boxes.shape) == (0, 4)


@pytest.mark.parametrize("label", [-1, 2])
def test_a_label_outside_the_space_is_refused_by_number(label: int) -> None:
    target = Target(torch.tensor([[1.0, 1, 9, 9]]), torch.tensor([label]))
    with pytest.raises(
        LabelError,
        match=rf"the label {label}\.\nIts label space 'a, b' has 2 labels, from 0\.",
    ):
        targets_to_input(batch_of(PLACE), [target], SPACE)


def test_targets_are_one_per_image() -> None:
    with pytest.raises(ValueError, match="one per image, 2, got 0"):
        targets_to_input(batch_of(PLACE, PLACE), [], SPACE)


@pytest.mark.parametrize(
    "box", [[50.0, 40, 20, 10], [0, 0, float("nan"), 5], [0, 0, float("inf"), 5]]
)
def test_a_box_that_ends_before_it_begins_or_is_not_finite_is_shown(box: list[float]) -> None:
    with pytest.raises(
        ValueError, match=r"x1 <= x2 .* but box 1 is \[.*converts from x y width height"
    ):
        Target(torch.tensor([[1.0, 1, 9, 9], box]), torch.tensor([0, 0]))


BOXES, LABELS = torch.tensor([[1.0, 1, 9, 9]]), torch.tensor([0])


@pytest.mark.parametrize(
    ("boxes", "labels", "said"),
    [
        (BOXES, LABELS.float(), r"labels must be a tensor of torch\.int64, .* got torch\.float32"),
        (BOXES.long(), LABELS, r"boxes must be a tensor of torch\.float32, .* got torch\.int64"),
        (
            BOXES.double(),
            LABELS,
            r"boxes must be a tensor of torch\.float32, .* got torch\.float64",
        ),
        ([[1, 1, 9, 9]], LABELS, "boxes must be a tensor .* got a list"),
        (BOXES, [0], "labels must be a tensor .* got a list"),
        (BOXES, LABELS[:, None], r"boxes \(n, 4\) and labels \(n,\), got \(1, 4\) and \(1, 1\)"),
        (BOXES, LABELS[0], r"got \(1, 4\) and \(\)"),
        (BOXES, torch.tensor([0, 1]), r"got \(1, 4\) and \(2,\)"),
    ],
)
def test_columns_of_another_shape_or_type_are_refused(
    boxes: Tensor, labels: Tensor, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Target(boxes, labels)


def test_targets_as_torchvision_has_them_are_told_what_is_wanted() -> None:
    theirs = {"boxes": BOXES, "labels": LABELS}
    with pytest.raises(TypeError, match=r"zoo.Target.* got a dict"):
        targets_to_input(batch_of(PLACE), [theirs], SPACE)  # type: ignore[list-item]


@pytest.mark.parametrize(
    "box", [[200.0, 10, 210, 20], [10.0, 100, 20, 110], [-9.0, 10, 0, 20], [10.0, -9, 20, -1]]
)
def test_a_box_wholly_outside_of_its_image_is_refused(box: list[float]) -> None:
    target = Target(torch.tensor([[5.0, 5, 9, 9], box]), torch.tensor([0, 1]))
    with pytest.raises(
        ValueError,
        match=r"lies outside of its image of 200 x 100: boxes are x1 y1 x2 y2 in pixels",
    ):
        targets_to_input(batch_of(PLACE), [target], SPACE)


def test_a_box_that_reaches_beyond_the_edge_stays() -> None:
    (found,) = targets_to_input(
        batch_of(PLACE), [Target(torch.tensor([[190.0, 90, 210, 110]]), torch.tensor([1]))], SPACE
    )
    assert found.labels.tolist() == [1]
