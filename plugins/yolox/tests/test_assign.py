"""SimOTA against a slow one, written from the paper with nothing but loops, and in the cases that
have a name."""

import math
from dataclasses import dataclass

import torch
from detzoo_yolox.assign import Assignment, assign
from detzoo_yolox.outputs import Grid, YoloxOutput
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

GRIDS = (Grid(8, 6, 8), Grid(4, 3, 16), Grid(2, 2, 32))
CELLS = YoloxOutput(torch.zeros(1, 64, 8), GRIDS, logits=True).cells().double()


@dataclass(frozen=True)
class Case:
    boxes: Tensor
    logits: Tensor
    objects: Tensor
    channels: Tensor

    def assign(self) -> Assignment:
        return assign(
            boxes=self.boxes,
            logits=self.logits,
            cells=CELLS,
            objects=self.objects,
            channels=self.channels,
        )


def random_case(count: int, *, seed: int, classes: int = 3) -> Case:
    """Objects anywhere, also beyond the edges, and predictions of which half are near an object, as
    in the midst of training."""
    torch.manual_seed(seed)
    corner = torch.rand(count, 2, dtype=torch.float64) * 64 - 8
    objects = torch.cat([corner, corner + 1 + torch.rand(count, 2) * 40], dim=1)
    anywhere = torch.rand(len(CELLS), 2, dtype=torch.float64) * 64
    boxes = torch.cat([anywhere, anywhere + torch.rand(len(CELLS), 2) * 40], dim=1)
    if count:
        near = objects[torch.randint(count, (len(CELLS),))] + torch.randn(len(CELLS), 4)
        boxes = torch.where(torch.rand(len(CELLS), 1) < 0.5, near, boxes)
    logits = torch.randn(len(CELLS), 1 + classes, dtype=torch.float64) * 4
    return Case(boxes, logits, objects, torch.randint(classes, (count,)))


def iou(a: list[float], b: list[float]) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    overlap = max(wide, 0) * max(high, 0)
    return overlap / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - overlap)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def class_cost(logits: list[float], channel: int) -> float:
    chances = [math.sqrt(sigmoid(logits[0]) * sigmoid(one)) for one in logits[1:]]
    return sum(-math.log(p if index == channel else 1 - p) for index, p in enumerate(chances))


def where(cell: list[float], box: list[float]) -> tuple[bool, bool]:
    """Whether the cell's center lies in the box, and within 2.5 cells of the box's center."""
    column, row, stride = cell
    x, y = (column + 0.5) * stride, (row + 0.5) * stride
    inside = box[0] < x < box[2] and box[1] < y < box[3]
    off = max(abs(x - (box[0] + box[2]) / 2), abs(y - (box[1] + box[3]) / 2))
    return inside, off < 2.5 * stride


def slow(case: Case) -> dict[int, tuple[int, float]]:
    """Cell to the object that it learns and its IoU with it."""
    boxes, logits, objects = case.boxes.tolist(), case.logits.tolist(), case.objects.tolist()
    cells = CELLS.tolist()
    candidates = [
        index for index, cell in enumerate(cells) if any(any(where(cell, box)) for box in objects)
    ]
    cost: dict[int, dict[int, float]] = {}
    taken: dict[int, list[int]] = {}
    for number, (box, channel) in enumerate(zip(objects, case.channels.tolist(), strict=True)):
        cost[number] = {
            index: class_cost(logits[index], channel)
            - 3 * math.log(iou(box, boxes[index]) + 1e-8)
            + (0 if all(where(cells[index], box)) else 1e5)
            for index in candidates
        }
        best = sorted((iou(box, boxes[index]) for index in candidates), reverse=True)[:10]
        for index in sorted(candidates, key=cost[number].__getitem__)[: max(int(sum(best)), 1)]:
            taken.setdefault(index, []).append(number)
    owner = {
        index: takers[0] if len(takers) == 1 else min(cost, key=lambda number: cost[number][index])
        for index, takers in taken.items()
    }
    return {index: (number, iou(objects[number], boxes[index])) for index, number in owner.items()}


@given(count=st.integers(0, 7), seed=st.integers(0, 10_000))
def test_every_cell_learns_what_the_slow_one_says(count: int, seed: int) -> None:
    case = random_case(count, seed=seed)
    found = case.assign()
    expected = slow(case)
    assert dict(zip(found.cells.tolist(), found.objects.tolist(), strict=True)) == {
        k: v[0] for k, v in expected.items()
    }
    ious = dict(zip(found.cells.tolist(), found.ious.tolist(), strict=True))
    assert all(abs(ious[index] - value) < 1e-9 for index, (_, value) in expected.items())


def test_the_random_cases_reach_contested_cells_and_more_than_one_cell_an_object() -> None:
    cases = [random_case(5, seed=seed) for seed in range(20)]
    assert any(len(slow(case)) > len(case.objects) for case in cases)
    assert any(len(set(case.assign().objects.tolist())) < len(case.objects) for case in cases)


def test_without_objects_no_cell_learns_any() -> None:
    found = random_case(0, seed=1).assign()
    assert len(found.cells) == len(found.objects) == len(found.ious) == 0


def test_an_object_out_of_every_cells_reach_is_left_to_none() -> None:
    case = random_case(1, seed=1)
    far = Case(
        case.boxes,
        case.logits,
        torch.tensor([[900.0, 900.0, 910.0, 910.0]], dtype=torch.float64),
        case.channels,
    )
    assert len(far.assign().cells) == 0


def test_a_perfect_prediction_of_every_cell_gives_an_object_ten() -> None:
    case = random_case(1, seed=3)
    perfect = Case(case.objects.expand(len(CELLS), 4), case.logits, case.objects, case.channels)
    assert len(perfect.assign().cells) == 10


def test_of_cells_that_are_all_certain_the_right_one_learns() -> None:
    objects = torch.tensor([[8.0, 8.0, 40.0, 40.0]], dtype=torch.float64)
    boxes = torch.tensor([[900.0, 900.0, 910.0, 910.0]], dtype=torch.float64).expand(
        len(CELLS), 4
    )  # all bad, so k is 1
    logits = torch.tensor([1e4, -1e4, 1e4, -1e4], dtype=torch.float64).repeat(len(CELLS), 1)
    right = next(index for index, cell in enumerate(CELLS.tolist()) if cell == [2, 3, 8])
    logits[right] = torch.tensor([1e4, 1e4, -1e4, -1e4])
    assert Case(boxes, logits, objects, torch.tensor([0])).assign().cells.tolist() == [right]


def test_no_gradient_flows_through_the_choice() -> None:
    case = random_case(3, seed=7)
    boxes = case.boxes.requires_grad_()
    found = Case(boxes, case.logits, case.objects, case.channels).assign()
    assert not found.ious.requires_grad
