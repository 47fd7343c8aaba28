"""The numpy code and the compiled kernel are one evaluator: the same bits in every record and every
curve."""

from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evaluate.coco.random_boxes import made
from zoo.evaluate import Area, CocoSettings, EdgeCasePolicy, Evaluator
from zoo.evaluate.coco.backend import available
from zoo.evaluate.settings import COCO_AREAS

pytestmark = pytest.mark.skipif(
    "kernel" not in available(), reason="the kernel was not built here: no C compiler"
)


@settings(max_examples=150)
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
        Evaluator(truth, settings=options, policy=policy, backend=name, threads=threads)
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
