import math
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import batched_nms

from zoo.detections import Detections, merge
from zoo.detections.nms import FEW

ANY = st.data()
Row = tuple[list[float], float, int]


def rows_of(seen: Detections) -> list[Row]:
    return list(zip(seen.boxes.tolist(), seen.scores.tolist(), seen.labels.tolist(), strict=True))


def overlap(a: list[float], b: list[float]) -> float:
    """Intersection over union, step by step."""
    wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    tall = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - wide * tall
    return wide * tall / union if union > 0 else 0.0


def slow_nms(rows: list[Row], iou: float, class_agnostic: bool) -> list[Row]:
    kept: list[Row] = []
    for row in rows:
        if all(
            overlap(row[0], other[0]) <= iou
            for other in kept
            if class_agnostic or other[2] == row[2]
        ):
            kept.append(row)
    return kept


def slow_soft(rows: list[Row], decay, floor: float) -> list[Row]:
    """Figure 2 of Bodla et al., class by class."""
    left, kept = list(rows), []
    while left:
        best = max(left, key=lambda row: row[1])
        left.remove(best)
        kept.append(best)
        left = [
            (box, score * (decay(overlap(best[0], box)) if label == best[2] else 1), label)
            for box, score, label in left
        ]
    return [row for row in kept if row[1] >= floor]


def slow_fusion(rows: list[Row], iou: float, models: int) -> list[Row]:
    """Section 3 of Solovyev et al., with lists."""
    clusters: list[list[Row]] = []
    fused: list[Row] = []
    for row in rows:
        found = [
            (overlap(row[0], other[0]), -at) for at, other in enumerate(fused) if other[2] == row[2]
        ]
        best = max(found, default=(0.0, 0))
        if best[0] > iou:
            at = -best[1]
            clusters[at].append(row)
        else:
            at = len(clusters)
            clusters.append([row])
            fused.append(row)
        members = clusters[at]
        weight = sum(score for _, score, _ in members)
        box = [
            sum(score * corners[axis] for corners, score, _ in members) / weight
            for axis in range(4)
        ]
        fused[at] = (box, weight / len(members), row[2])
    agreed = [
        (box, score * min(len(members), models) / models, label)
        for (box, score, label), members in zip(fused, clusters, strict=True)
    ]
    return sorted(agreed, key=lambda row: -row[1])


def crowd(seed: int, count: int = 40) -> Detections:
    """Boxes that overlap a lot, of three classes."""
    dice = torch.Generator().manual_seed(seed)
    corners = torch.rand(count, 2, generator=dice) * 40
    sides = 20 + torch.rand(count, 2, generator=dice) * 20
    scores = torch.rand(count, generator=dice) * 0.9 + 0.05
    return Detections.of(
        torch.cat([corners, corners + sides], 1),
        scores,
        torch.randint(0, 3, (count,), generator=dice),
        label_space="coco80",
    )


def assert_same(seen: Detections, rows: list[Row]) -> None:
    assert seen.labels.tolist() == [label for _, _, label in rows]
    assert seen.scores.tolist() == pytest.approx([score for _, score, _ in rows], abs=1e-5)
    assert seen.boxes.flatten().tolist() == pytest.approx(
        [value for box, _, _ in rows for value in box], abs=1e-3
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("class_agnostic", [False, True])
def test_nms_is_the_slow_one(seed: int, class_agnostic: bool) -> None:
    seen = crowd(seed)
    kept = seen.suppress("nms", iou=0.3, class_agnostic=class_agnostic)
    assert 0 < len(kept) < len(seen)
    assert_same(kept, slow_nms(rows_of(seen), 0.3, class_agnostic))


@pytest.mark.parametrize("seed", range(5))
def test_nms_is_torchvisions(seed: int) -> None:
    seen = crowd(seed)
    keep = batched_nms(seen.boxes, seen.scores, seen.labels, 0.4)
    assert seen.suppress(iou=0.4).equals(seen[keep])


def test_far_away_boxes_of_many_classes_lose_no_precision() -> None:
    corner = 1e6
    seen = Detections.of(
        [[corner, 0, corner + 2, 1], [corner + 1, 0, corner + 3, 1]],
        [0.9, 0.8],
        [364, 364],
        label_space="objects365",
    )
    assert len(seen.suppress(iou=0.34)) == 2
    assert len(seen.suppress(iou=0.33)) == 1


@pytest.mark.parametrize("seed", range(5))
def test_soft_nms_is_the_slow_one(seed: int) -> None:
    seen = crowd(seed)
    gaussian = slow_soft(rows_of(seen), lambda iou: math.exp(-(iou**2) / 0.3), 0.01)
    assert_same(seen.suppress("soft", sigma=0.3, floor=0.01), gaussian)


@pytest.mark.parametrize("seed", range(5))
def test_linear_soft_nms_is_the_slow_one(seed: int) -> None:
    seen = crowd(seed)
    linear = slow_soft(rows_of(seen), lambda iou: 1 - iou if iou >= 0.3 else 1, 0.01)
    assert_same(seen.suppress("soft-linear", iou=0.3, floor=0.01), linear)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("models", [1, 3])
def test_fusion_is_the_slow_one(seed: int, models: int) -> None:
    seen = crowd(seed)
    fused = seen.suppress("fuse", iou=0.4, models=models)
    assert len(fused) < len(seen)
    assert_same(fused, slow_fusion(rows_of(seen), 0.4, models))


def test_boxes_that_two_models_agree_on_become_their_mean(street: Detections) -> None:
    weaker = Detections.of([[0, 0, 20, 20]], [0.3], ["car"], label_space="coco80", size=(480, 640))
    surer = Detections.of([[0, 0, 10, 10]], [0.9], ["car"], label_space="coco80", size=(480, 640))
    fused = merge([weaker, surer]).suppress("fuse", iou=0.2, models=2)
    assert fused.boxes.tolist() == [[0, 0, 12.5, 12.5]]
    assert fused.scores.tolist() == pytest.approx([0.6])


def test_a_box_that_one_model_of_two_found_keeps_half_its_score(street: Detections) -> None:
    assert street.suppress("fuse", models=2).scores.tolist() == pytest.approx([0.45, 0.25, 0.22])


@pytest.mark.parametrize("policy", ["nms", "soft", "soft-linear", "fuse"])
def test_other_classes_are_spared_unless_told(policy, street: Detections) -> None:
    assert street.suppress(policy, iou=0.3).equals(street, tolerance=1e-5)
    assert not street.suppress(policy, iou=0.3, class_agnostic=True).equals(street, tolerance=1e-5)


@pytest.mark.parametrize("policy", ["nms", "soft", "soft-linear", "fuse"])
@given(ANY)
@settings(max_examples=50)
def test_every_policy_takes_any_detections(policy, any_detections, data) -> None:
    seen = data.draw(any_detections)
    for class_agnostic in (False, True):
        settled = seen.suppress(policy, floor=0.0, class_agnostic=class_agnostic)
        assert len(settled) <= len(seen)
        assert (settled.size, settled.source) == (seen.size, seen.source)


@pytest.mark.parametrize(
    "setting",
    [{"policy": "hard"}, {"iou": 1.5}, {"sigma": 0}, {"floor": -1}, {"models": 0}],
    ids=lambda setting: next(iter(setting)),
)
def test_a_setting_out_of_range_is_refused(setting, street: Detections) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        street.suppress(**setting)


@pytest.mark.parametrize("class_agnostic", [False, True])
def test_few_and_many_boxes_are_settled_alike(class_agnostic: bool) -> None:
    draw = torch.Generator().manual_seed(0)
    corners = torch.randint(0, 60, (5 * FEW, 2), generator=draw).repeat(1, 2) + torch.tensor(
        [0, 0, 20, 20]
    )
    scores = torch.linspace(1, 0, 5 * FEW)
    seen = Detections.of(corners, scores, torch.arange(5 * FEW) % 3, label_space=["a", "b", "c"])
    assert rows_of(seen.suppress(iou=0.4, class_agnostic=class_agnostic)) == slow_nms(
        rows_of(seen), 0.4, class_agnostic
    )
    few = seen.top(FEW)
    assert rows_of(few.suppress(iou=0.4, class_agnostic=class_agnostic)) == slow_nms(
        rows_of(few), 0.4, class_agnostic
    )


def test_an_image_with_few_boxes_does_not_wait_for_torchvision() -> None:
    code = (
        "import sys; from zoo.detections import Detections;"
        "seen = Detections.of([[0, 0, 9, 9], [0, 0, 9, 8]], [0.9, 0.8], [0, 0], "
        "label_space=['thing']);"
        "print(len(seen.suppress(iou=0.5)), 'torchvision' in sys.modules, 'torch._dynamo' in "
        "sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False", "False"]
