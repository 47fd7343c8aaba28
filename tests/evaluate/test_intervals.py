"""Bootstrap intervals: around their numbers, reproducible, and honest about differences."""

from concurrent.futures import CancelledError
from threading import Event

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluate.noisy_detector import detected, evaluated
from zoo.evaluate import EdgeCasePolicy, Evaluator, GroundTruth, intervals
from zoo.evaluate.coco.backend import available
from zoo.evaluate.intervals import centred_interval, difference, resampled, symmetric


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


@pytest.mark.parametrize("backend", available())
@pytest.mark.parametrize("seconds", [0.0, 1e9])
def test_blocks_of_any_size_change_no_bit(backend, seconds, monkeypatch) -> None:
    sample = evaluated(*detected(4), backend=backend, threads=1).matched_images()
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
        resampled(evaluated(*detected(4)).matched_images(), resamples=10**9, seed=0, stop=stop)


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
    interval = centred_interval(0.5, np.linspace(0.6, 0.8, 1001))
    assert interval is not None
    assert interval.low == pytest.approx(0.5 - 0.095)
    assert interval.high == pytest.approx(0.5 + 0.095)
    assert centred_interval(0.5, [float("nan")] * 3 + [0.5]) is None


def test_a_difference_is_judged_by_its_spread() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, 1000)
    real = difference((0.3, 0.3 + noise), (0.35, 0.35 + noise[::-1]))
    chance = difference((0.3, 0.3 + noise), (0.301, 0.301 + noise[::-1]))
    assert real is not None
    assert chance is not None
    assert real.p_value < 0.01 < 0.5 < chance.p_value
    assert real.interval.low > 0 > chance.interval.low


def test_intervals_end_where_numbers_do() -> None:
    truth = GroundTruth.of(
        range(9),
        {"image": range(9), "label": [0] * 9, "box": [[0, 0, 9, 9]] * 9},
        label_space=["cat"],
    )
    evaluator = Evaluator(truth)
    seen = {"boxes": [[0, 0, 9, 9.0]], "scores": [0.5], "labels": [0]}
    wrong = {"boxes": [[50, 50, 59, 59.0]], "scores": [0.4], "labels": [0]}
    evaluator.update(range(9), [seen] * 8 + [wrong])
    report = evaluator.compute(resamples=200)
    for interval in [*report.intervals.values(), report.per_class["cat"].interval]:
        assert interval is not None
        assert 0 <= interval.low <= interval.high <= 1
    assert report.intervals["AP"].high == 1


@given(
    st.floats(-0.3, 0.3),
    st.integers(2, 400),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.8, 0.9, 0.95, 0.99]),
)
def test_an_interval_holds_0_exactly_where_the_p_value_is_above_its_level(
    gap: float, count: int, seed: int, level: float
) -> None:
    moved = np.random.default_rng(seed).normal(gap, 0.1, count).round(2)  # rounded: with ties
    found = difference((0.0, [0.0] * count), (gap, moved.tolist()), level=level)
    assert found is not None
    assert (found.interval.low <= 0 <= found.interval.high) == (found.p_value > 1 - level + 1e-12)
    assert found.interval.low <= gap <= found.interval.high


def test_too_few_replicates_say_nothing_of_a_difference() -> None:
    interval = symmetric(0.1, [0.09, 0.11] * 5)
    assert interval is not None
    assert (interval.low, interval.high) == (-1, 1)
    assert symmetric(0.1, [float("nan")] * 3 + [0.1]) is None
    assert difference((0.1, [0.1]), (0.2, [0.2])) is None
