"""What is known of an annotated object has a row per box."""

import pytest
import torch

from zoo.contract import InputTransform, Target, targets_to_input
from zoo.contract.batch import Batch
from zoo.labels import LabelSpace

BOXES, LABELS = torch.tensor([[0.0, 0, 4, 4], [1, 1, 1, 3]]), torch.tensor([0, 1])


def test_what_is_known_goes_with_its_box() -> None:
    ids, crowd = torch.tensor([7, 9]), torch.tensor([False, True])
    masks = torch.zeros(2, 8, 8, dtype=torch.bool)
    target = Target(
        BOXES, LABELS, crowd=crowd, area=torch.tensor([16.0, 1.0]), ids=ids, masks=masks
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
        Target(BOXES, LABELS, **column)
