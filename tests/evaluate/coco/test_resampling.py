"""Bootstrap: a replicate is the data set it stands for, both backends agree, and nothing about the
draws ever changes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.evaluate.noisy_detector import Found, detected, evaluated
from zoo.evaluate import Area, CocoSettings, Evaluator, GroundTruth
from zoo.evaluate.coco.backend import available, choose
from zoo.evaluate.coco.resampling import draws
from zoo.evaluate.coco.summary import summarise_replicates
from zoo.evaluate.settings import COCO_AREAS

DRAWN = [[2, 1, 1, 1, 0, 0, 1, 2], [2, 0, 0, 0, 1, 2, 2, 1], [0, 1, 3, 1, 0, 0, 2, 1]]


def repeated(
    boxes: dict[str, Any], found: Found, weights: list[int]
) -> tuple[dict[str, Any], Found]:
    """The same data with each image as often as its weight says, copies next to each other."""
    copies = [image for image, weight in enumerate(weights) for _ in range(weight)]
    rows = [np.flatnonzero(boxes["image"] == image) for image in copies]
    table = {column: values[np.concatenate(rows)] for column, values in boxes.items()}
    table["image"] = np.repeat(np.arange(len(copies)), [len(some) for some in rows])
    return table, [found[image] for image in copies]


@settings(max_examples=20)
@given(
    weights=st.lists(st.integers(0, 3), min_size=6, max_size=6).filter(any), seed=st.integers(0, 99)
)
def test_a_replicate_is_the_data_set_with_images_repeated(weights, seed) -> None:
    boxes, found = detected(seed)
    sample = evaluated(boxes, found).matched_images()
    made = sample.backend.resample(
        sample.ranking(), sample.plan, np.array([weights], np.uint32), limit=100, threads=1
    )
    numbers = summarise_replicates(made, sample.plan, sample.policy, limit=100)
    for name, expected in evaluated(*repeated(boxes, found, weights)).numbers().items():
        value = numbers[name][0]
        assert value == expected if expected > -1 else np.isnan(value), name


def copied(
    instances: dict[str, Any], results: list[dict[str, Any]], weights: list[int]
) -> tuple[dict[str, Any], list[Any]]:
    """A COCO data set and its results with every image as often as its weight says, each copy with
    an id of its own."""
    made: dict[str, Any] = {"categories": instances["categories"], "images": [], "annotations": []}
    found = []
    for image, weight in zip(instances["images"], weights, strict=True):
        for _ in range(weight):
            made["images"].append({**image, "id": len(made["images"]) + 1})
            here = {"image_id": len(made["images"])}
            for one in instances["annotations"]:
                if one["image_id"] == image["id"]:
                    made["annotations"].append({**one, **here, "id": len(made["annotations"]) + 1})
            found += [{**one, **here} for one in results if one["image_id"] == image["id"]]
    return made, found


def made_up(
    seed: int, *, classes: int, boxes: int, scores: int
) -> tuple[dict[str, Any], list[Any]]:
    """Five images and what is found there, up to three times a box, with so many different
    scores."""
    random = np.random.default_rng(seed)
    columns = (
        random.integers(1, 5, boxes).tolist(),  # the last image is empty
        random.integers(1, 1 + classes, boxes).tolist(),
        random.uniform(5, 50, (boxes, 4)).round(1).tolist(),
        random.binomial(1, 0.1, boxes).tolist(),
    )
    instances: dict[str, Any] = {
        "images": [{"id": image + 1, "width": 99, "height": 99} for image in range(5)],
        "categories": [{"id": 1 + label, "name": f"class {label}"} for label in range(classes)],
        "annotations": [],
    }
    for image, label, box, crowd in zip(*columns, strict=True):
        one = {"image_id": image, "category_id": label, "bbox": box, "iscrowd": crowd}
        area = box[2] * box[3] * float(random.choice([1, 4]))
        instances["annotations"].append(
            {**one, "area": area, "id": len(instances["annotations"]) + 1}
        )
    results = []
    for one in instances["annotations"] * 3:
        moved = (one["bbox"] + random.normal(0, 3, 4)).clip(1).tolist()
        image = int(random.choice([one["image_id"], 5], p=[0.9, 0.1]))
        score = float(random.integers(0, scores) / scores)
        results.append(
            {"image_id": image, "category_id": one["category_id"], "bbox": moved, "score": score}
        )
    return instances, results


@pytest.mark.parametrize("backend", available())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    weights=st.lists(st.integers(0, 4), min_size=5, max_size=5).filter(any),
    classes=st.integers(1, 9),
    boxes=st.integers(1, 60),
    scores=st.sampled_from([1, 2, 4, 1000]),
)
def test_a_replicate_is_to_the_bit_what_pycocotools_says_of_copied_images(
    pycocotools_on, truth_of, feed, backend, seed, weights, classes, boxes, scores
) -> None:
    instances, results = made_up(seed, classes=classes, boxes=boxes, scores=scores)
    evaluator = Evaluator(truth_of(instances), backend=backend)
    feed(evaluator, results)
    sample = evaluator.matched_images()
    drawn = np.array([weights, [1] * 5], np.uint32)
    made = sample.backend.resample(sample.ranking(), sample.plan, drawn, limit=100, threads=1)
    numbers = summarise_replicates(made, sample.plan, sample.policy, limit=100)
    for row, some in enumerate(drawn.tolist()):
        run = pycocotools_on(*copied(instances, results, some))
        for name, expected in zip(numbers, run.stats.tolist(), strict=True):
            value = numbers[name][row]
            assert value == expected if expected > -1 else np.isnan(value), (name, value, expected)
        for label, value in enumerate(made.of_class[row].tolist()):
            of_class = run.eval["precision"][:, :, label, 0, -1]
            there = of_class[of_class > -1]
            assert value == np.mean(there) if len(there) else np.isnan(value), label


@pytest.mark.skipif(
    "kernel" not in available(), reason="the kernel was not built here: no C compiler"
)
@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    images=st.integers(1, 9),
    threads=st.integers(1, 3),
    options=st.sampled_from(
        [
            CocoSettings(),
            CocoSettings(
                ious=(0.5,),
                detections=(2, 4),
                recalls=7,
                areas=(*COCO_AREAS, Area("tiny", "t", 0, 400)),
            ),
        ]
    ),
)
def test_both_engines_resample_with_the_same_bits(seed, images, threads, options) -> None:
    sample = evaluated(*detected(seed, images=images), settings=options).matched_images()
    weights = draws(images, range(20), seed)
    limit = options.detections[seed % len(options.detections)]
    ours, theirs = (
        choose(name).resample(sample.ranking(), sample.plan, weights, limit=limit, threads=threads)
        for name in ("numpy", "kernel")
    )
    for column in ("precision", "recall", "alone", "limited", "of_class"):
        assert getattr(ours, column).tobytes() == getattr(theirs, column).tobytes(), column


@pytest.mark.skipif(
    "kernel" not in available(), reason="the kernel was not built here: no C compiler"
)
def test_curves_that_take_much_memory_are_kept_of_fewer_replicates_with_the_same_bits() -> None:
    boxes, found = detected(3)
    boxes["label"] = np.arange(len(boxes["label"])) % 6
    truth = GroundTruth.of(range(6), boxes, label_space=list("abcdef"))
    # so many points that 27 replicates are computed at a time instead of 32
    evaluator = Evaluator(truth, settings=CocoSettings(recalls=10_000))
    evaluator.update(range(6), found)
    sample = evaluator.matched_images()
    weights = draws(6, range(30), 3)
    ours, theirs = (
        choose(name).resample(sample.ranking(), sample.plan, weights, limit=100, threads=2)
        for name in ("numpy", "kernel")
    )
    assert ours.precision.tobytes() == theirs.precision.tobytes()
    assert ours.of_class.tobytes() == theirs.of_class.tobytes()


def test_draws_are_the_same_for_ever() -> None:
    assert draws(8, range(3), 0).tolist() == DRAWN
    assert draws(8, range(2, 3), 0).tolist() == DRAWN[2:]
    assert draws(8, range(3), 1).tolist() != DRAWN


def test_draws_favour_no_image() -> None:
    counts = draws(50, range(2000), 3)
    assert (counts.sum(1) == 50).all()
    assert np.abs(counts.mean(0) - 1).max() < 0.1  # five standard errors
    assert counts.var() == pytest.approx(1 - 1 / 50, abs=0.02)
