"""The losses are the published sums, are finite whatever the truth holds, and teach a network."""

import math

import pytest
import torch
from detzoo_yolox.assign import assign
from detzoo_yolox.detector import YOLOX
from detzoo_yolox.outputs import to_boxes

from plugins.yolox.tests.toys import NOTHING, target, trained_on
from zoo.detectors import Protocol, Target

TRUTH = [target((4, 6, 30, 40, 0), (30, 10, 60, 60, 2)), NOTHING, target((10, 10, 22, 20, 1))]


def entropy(logit: float, truth: float) -> float:
    p = 1 / (1 + math.exp(-logit))
    return -(truth * math.log(p) + (1 - truth) * math.log(1 - p))


def iou(a: list[float], b: list[float]) -> float:
    overlap = max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    return overlap / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - overlap)


def test_the_losses_are_the_published_sums_over_cells_that_learn(toy: YOLOX) -> None:
    toy.head.l1 = True
    outputs, _, found = trained_on(toy, TRUTH)
    cells, values = outputs.cells(), outputs.values.detach()
    expected, count = dict.fromkeys(("iou", "objectness", "classification", "l1"), 0.0), 0
    for image, truth in enumerate(TRUTH):
        boxes = to_boxes(values[image], cells)
        learned = assign(
            boxes=boxes,
            logits=values[image, :, 4:],
            cells=cells,
            objects=truth.boxes,
            channels=truth.labels,
        )
        owners = dict(
            zip(
                learned.cells.tolist(),
                zip(learned.objects.tolist(), learned.ious.tolist(), strict=True),
                strict=True,
            )
        )
        count += len(owners)
        for cell, row in enumerate(values[image].tolist()):
            expected["objectness"] += entropy(row[4], float(cell in owners))
            if cell not in owners:
                continue
            number, quality = owners[cell]
            box, label = truth.boxes[number].tolist(), int(truth.labels[number])
            column, line, stride = cells[cell].tolist()
            expected["iou"] += 5 * (1 - iou(boxes[cell].tolist(), box) ** 2)
            expected["classification"] += sum(
                entropy(row[5 + one], quality * (one == label)) for one in range(3)
            )
            goal = (
                (box[0] + box[2]) / 2 / stride - column,
                (box[1] + box[3]) / 2 / stride - line,
                math.log((box[2] - box[0]) / stride),
                math.log((box[3] - box[1]) / stride),
            )
            expected["l1"] += sum(
                abs(value - aim) for value, aim in zip(row[:4], goal, strict=True)
            )
    assert count >= 3
    assert {name: loss.item() for name, loss in found.items()} == pytest.approx(
        {name: total / count for name, total in expected.items()}, rel=1e-4
    )


@pytest.mark.parametrize(
    "truth", [TRUTH, [NOTHING, NOTHING]], ids=["some images empty", "all images empty"]
)
def test_losses_are_finite_scalars_with_a_gradient_for_every_parameter(
    toy: YOLOX, truth: list[Target]
) -> None:
    _, _, found = trained_on(toy, truth)
    assert list(found) == ["iou", "objectness", "classification"]
    assert all(loss.shape == () and loss.isfinite() for loss in found.values())
    sum(found.values()).backward()
    grads = {name: parameter.grad for name, parameter in toy.named_parameters()}
    assert [name for name, grad in grads.items() if grad is None or not grad.isfinite().all()] == []


def test_every_part_of_the_network_learns_from_an_image(toy: YOLOX) -> None:
    _, _, found = trained_on(toy, TRUTH)
    sum(found.values()).backward()
    for part in (toy.backbone, toy.neck, toy.head.stems, toy.head.reg_convs, toy.head.cls_preds):
        assert sum(parameter.grad.abs().sum() for parameter in part.parameters()) > 0


def test_images_without_objects_teach_objectness_only(toy: YOLOX) -> None:
    _, _, found = trained_on(toy, [NOTHING])
    assert found["objectness"] > 0
    assert found["iou"] == found["classification"] == 0


def test_under_autocast_the_losses_are_single_precision_and_finite(toy: YOLOX) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        outputs, _, found = trained_on(toy, TRUTH)
    assert outputs.values.dtype == torch.bfloat16
    assert all(loss.dtype == torch.float32 and loss.isfinite() for loss in found.values())


@pytest.mark.slow
def test_a_random_network_learns_two_boxes_in_one_image(toy: YOLOX) -> None:
    image = torch.full((3, 64, 64), 90, dtype=torch.uint8)
    image[:, 6:40, 4:30] = torch.tensor([250, 20, 20], dtype=torch.uint8)[:, None, None]
    image[:, 16:62, 34:60] = torch.tensor([20, 20, 250], dtype=torch.uint8)[:, None, None]
    truth = target((4, 6, 30, 40, 0), (34, 16, 60, 62, 2))
    batch = toy.train().preprocess([image])
    optimizer = torch.optim.Adam(toy.parameters(), lr=5e-3)
    history = []
    for _ in range(80):
        total = sum(toy.loss(toy(batch), batch, [truth]).values())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        history.append(total.item())
    with (
        torch.inference_mode()
    ):  # in train mode still: batch norms need more than 80 steps to know their averages
        [seen] = toy.decode(toy(batch), batch, Protocol(score=0.3).thresholds(toy.defaults))
    assert history[-1] < history[0] / 2
    assert sorted(seen.labels.tolist()) == [0, 2]
    for box, label in zip(seen.boxes.tolist(), seen.labels.tolist(), strict=True):
        assert iou(box, truth.boxes[truth.labels == label][0].tolist()) > 0.6
