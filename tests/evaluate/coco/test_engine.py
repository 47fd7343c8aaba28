"""The numpy code and the compiled kernel are one evaluator: the same bits in every record and every
curve."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.evaluate import Area, CocoSettings, EdgeCasePolicy, Evaluator, GroundTruth
from zoo.evaluate.coco.engine import available
from zoo.evaluate.settings import COCO_AREAS

pytestmark = pytest.mark.skipif(
    "kernel" not in available(), reason="the kernel was not built here: no C compiler"
)


def made(
    seed: int, *, images: int, classes: int, boxes: int, found: int, coarse: bool
) -> tuple[GroundTruth, list[dict[str, Any]]]:
    """Random boxes, some of them crowds, and detections near them, coarse ones with many ties."""
    random = np.random.default_rng(seed)
    side = random.integers(0, 12, (boxes, 2)) * 10 if coarse else random.uniform(0, 150, (boxes, 2))
    corner = (
        random.integers(0, 5, (boxes, 2)) * 10 if coarse else random.uniform(0, 100, (boxes, 2))
    )
    xyxy = np.concatenate([corner, corner + side], 1).astype(float)
    table = {
        "image": random.integers(0, images, boxes),
        "label": random.integers(0, classes, boxes),
        "box": xyxy,
        "area": (side[:, 0] * side[:, 1]) * random.choice([1.0, 0.6], boxes),
        "crowd": random.uniform(size=boxes) < 0.15,
        "id": np.arange(boxes),
        "occluded": random.choice(["no", "partly", "yes"], boxes),
    }
    truth = GroundTruth.of(
        range(images), table, label_space=[f"class {number}" for number in range(classes)]
    )
    detections = []
    for _ in range(images):
        count = int(random.integers(0, 2 * found + 1))
        rows = random.integers(0, boxes, count) if boxes else np.zeros(0, int)
        near = xyxy[rows].reshape(-1, 4)[:count]
        shift = (
            random.integers(-1, 2, near.shape) * 10 if coarse else random.normal(0, 8, near.shape)
        )
        moved = near + shift
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2])
        scores = (
            random.integers(0, 4, len(near)) / 4 if coarse else random.uniform(-1, 1, len(near))
        )
        dtype = np.float32 if seed % 2 else np.float64
        detections.append(
            {
                "boxes": moved.astype(dtype),
                "scores": scores.astype(dtype),
                "labels": random.integers(0, classes, len(near)),
            }
        )
    return truth, detections


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10**9),
    images=st.integers(1, 6),
    classes=st.integers(1, 4),
    boxes=st.integers(0, 60),
    found=st.integers(0, 60),
    coarse=st.booleans(),
    options=st.sampled_from(
        [
            CocoSettings(),
            CocoSettings(ious=(0.75,), detections=(5,), recalls=11),
            CocoSettings(
                ious=(0.3, 0.9),
                detections=(2, 7),
                areas=(*COCO_AREAS[:1], Area("tiny", "t", 0, 100)),
                slices=("occluded",),
            ),
        ]
    ),
    policy=st.sampled_from([EdgeCasePolicy(), EdgeCasePolicy.pycocotools()]),
    threads=st.integers(1, 4),
)
def test_records_and_curves_have_the_same_bits(
    seed, images, classes, boxes, found, coarse, options, policy, threads
) -> None:
    truth, detections = made(
        seed, images=images, classes=classes, boxes=boxes, found=found, coarse=coarse
    )
    policy = EdgeCasePolicy(annotation_zero=policy.annotation_zero)
    both = [
        Evaluator(truth, settings=options, policy=policy, engine=name, threads=threads)
        for name in ("numpy", "kernel")
    ]
    for one in both:
        one.update(range(images), detections)
    for column in fields(both[0].outcomes):
        ours, theirs = (getattr(one.outcomes, column.name) for one in both)
        assert ours.dtype == theirs.dtype, column.name
        assert ours.shape == theirs.shape, column.name
        assert ours.tobytes() == theirs.tobytes(), column.name
    for column in ("precision", "scores", "recall"):
        ours, theirs = (getattr(one.curves(), column) for one in both)
        assert ours.tobytes() == theirs.tobytes(), column
