"""Bootstrap: a replicate is the data set it stands for, both engines agree, and nothing about the
draws ever changes."""

from concurrent.futures import CancelledError
from threading import Event
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.evaluate import Area, CocoSettings, EdgeCasePolicy, Evaluator, GroundTruth, intervals
from zoo.evaluate.coco.engine import available, choose
from zoo.evaluate.coco.resampling import draws
from zoo.evaluate.coco.summary import summarise_replicates
from zoo.evaluate.intervals import centred, difference, resampled
from zoo.evaluate.settings import COCO_AREAS

DRAWN = [[2, 1, 1, 1, 0, 0, 1, 2], [2, 0, 0, 0, 1, 2, 2, 1], [0, 1, 3, 1, 0, 0, 2, 1]]
Found = list[dict[str, np.ndarray]]


def detected(seed: int, *, images: int = 6, noise: float = 6.0) -> tuple[dict[str, Any], Found]:
    """Boxes, the same for every seed, and what a detector with so much noise finds; no two scores
    are equal."""
    world, random = np.random.default_rng(0), np.random.default_rng(seed)
    corner, side = world.uniform(0, 200, (8 * images, 2)), world.uniform(8, 150, (8 * images, 2))
    box = np.concatenate([corner, corner + side], 1)
    image, label, crowd = (
        world.integers(0, images, len(box)),
        world.integers(0, 3, len(box)),
        world.uniform(size=len(box)) < 0.1,
    )
    found = []
    for one in range(images):
        near = np.repeat(box[image == one], 3, 0)
        labels = np.where(
            random.uniform(size=len(near)) < 0.8, np.repeat(label[image == one], 3), 0
        )
        found.append(
            {
                "boxes": upright(near + random.normal(0, noise, near.shape)),
                "scores": random.uniform(size=len(near)),
                "labels": labels,
            }
        )
    return {"image": image, "label": label, "box": box, "crowd": crowd}, found


def upright(boxes: np.ndarray) -> np.ndarray:
    """Boxes whose right and lower edges come last."""
    return np.concatenate([boxes[:, :2], np.maximum(boxes[:, :2], boxes[:, 2:])], 1)


def evaluated(boxes: dict[str, Any], found: Found, **options: Any) -> Evaluator:
    evaluator = Evaluator(
        GroundTruth.of(range(len(found)), boxes, label_space=["a", "b", "c"]), **options
    )
    evaluator.update(range(len(found)), found)
    return evaluator


def repeated(
    boxes: dict[str, Any], found: Found, weights: list[int]
) -> tuple[dict[str, Any], Found]:
    """The same data with each image as often as its weight says, copies next to each other."""
    copies = [image for image, weight in enumerate(weights) for _ in range(weight)]
    rows = [np.flatnonzero(boxes["image"] == image) for image in copies]
    table = {column: values[np.concatenate(rows)] for column, values in boxes.items()}
    table["image"] = np.repeat(np.arange(len(copies)), [len(some) for some in rows])
    return table, [found[image] for image in copies]


@settings(max_examples=20, deadline=None)
@given(
    weights=st.lists(st.integers(0, 3), min_size=6, max_size=6).filter(any), seed=st.integers(0, 99)
)
def test_a_replicate_is_the_data_set_with_images_repeated(weights, seed) -> None:
    boxes, found = detected(seed)
    sample = evaluated(boxes, found).sample()
    made = sample.engine.resample(
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


@pytest.mark.parametrize("engine", available())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 10**6),
    weights=st.lists(st.integers(0, 4), min_size=5, max_size=5).filter(any),
    classes=st.integers(1, 9),
    boxes=st.integers(1, 60),
    scores=st.sampled_from([1, 2, 4, 1000]),
)
def test_a_replicate_is_to_the_bit_what_pycocotools_says_of_copied_images(
    pycocotools_on, truth_of, feed, engine, seed, weights, classes, boxes, scores
) -> None:
    instances, results = made_up(seed, classes=classes, boxes=boxes, scores=scores)
    evaluator = Evaluator(truth_of(instances), engine=engine)
    feed(evaluator, results)
    sample = evaluator.sample()
    drawn = np.array([weights, [1] * 5], np.uint32)
    made = sample.engine.resample(sample.ranking(), sample.plan, drawn, limit=100, threads=1)
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
@settings(max_examples=40, deadline=None)
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
    sample = evaluated(*detected(seed, images=images), settings=options).sample()
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
    sample = evaluator.sample()
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


def test_an_interval_holds_its_number_and_is_the_same_for_the_same_seed() -> None:
    evaluator = evaluated(*detected(1, images=12))
    first, again, other = (evaluator.compute(resamples=200, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first.intervals != other.intervals
    for name, value in first.numbers.items():
        interval = first.interval(name)
        assert value is not None
        assert interval is not None
        assert interval.low < value < interval.high
    of_class = first.per_class["a"]
    assert of_class.interval is not None
    assert of_class.interval.low < (of_class.ap or 0) < of_class.interval.high
    assert evaluator.compute(resamples=0).intervals == {}


def test_more_images_give_narrower_intervals() -> None:
    widths = []
    for images in (8, 80):
        interval = evaluated(*detected(1, images=images)).compute(resamples=200).interval("AP")
        assert interval is not None
        widths.append(interval.high - interval.low)
    assert widths[1] < widths[0] / 2


def test_shards_and_threads_change_no_bit_of_an_interval() -> None:
    boxes, found = detected(4)
    whole = evaluated(boxes, found, threads=1).compute(resamples=70)
    parts = [
        Evaluator(GroundTruth.of(range(6), boxes, label_space=["a", "b", "c"]), threads=3)
        for _ in range(2)
    ]
    for number, part in enumerate(parts):
        for image in range(5 - number, -1, -2):
            part.update([image], [found[image]])
    parts[1].merge(parts[0])
    assert parts[1].compute(resamples=70) == whole


@pytest.mark.parametrize("engine", available())
@pytest.mark.parametrize("seconds", [0.0, 1e9])
def test_blocks_of_any_size_change_no_bit(engine, seconds, monkeypatch) -> None:
    sample = evaluated(*detected(4), engine=engine, threads=1).sample()
    drawn, of_classes = resampled(sample, resamples=70, seed=0)
    monkeypatch.setattr(intervals, "SECONDS", seconds)
    again, of_classes_again = resampled(sample, resamples=70, seed=0)
    assert of_classes.tobytes() == of_classes_again.tobytes()
    assert {name: values.tobytes() for name, values in drawn.items()} == {
        name: values.tobytes() for name, values in again.items()
    }


def test_resampling_ends_between_two_blocks_once_it_is_stopped() -> None:
    stop = Event()
    stop.set()
    with pytest.raises(CancelledError):
        resampled(evaluated(*detected(4)).sample(), resamples=10**9, seed=0, stop=stop)


def test_images_that_are_left_out_are_not_drawn() -> None:
    boxes, found = detected(4)
    part = Evaluator(
        GroundTruth.of(range(6), boxes, label_space=["a", "b", "c"]),
        policy=EdgeCasePolicy(unseen_images="leave out"),
    )
    part.update(range(4), found[:4])
    inside = boxes["image"] < 4
    alone = Evaluator(
        GroundTruth.of(
            range(4),
            {column: values[inside] for column, values in boxes.items()},
            label_space=["a", "b", "c"],
        )
    )
    alone.update(range(4), found[:4])
    assert part.compute(resamples=50).intervals == alone.compute(resamples=50).intervals


def test_an_interval_is_centred_on_its_number() -> None:
    interval = centred(0.5, np.linspace(0.6, 0.8, 1001))
    assert interval is not None
    assert interval.low == pytest.approx(0.5 - 0.095)
    assert interval.high == pytest.approx(0.5 + 0.095)
    assert centred(0.5, [float("nan")] * 3 + [0.5]) is None


def test_a_difference_is_judged_by_its_spread() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, 1000)
    real = difference((0.3, 0.3 + noise), (0.35, 0.35 + noise[::-1]))
    chance = difference((0.3, 0.3 + noise), (0.301, 0.301 + noise[::-1]))
    assert real is not None
    assert chance is not None
    assert real.p_value < 0.01 < 0.5 < chance.p_value
    assert real.interval.low > 0 > chance.interval.low
