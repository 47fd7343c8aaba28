"""One evaluator used by many threads at once: the same bits as one thread, and never half of an
update."""

import copy
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

from zoo.detections import Detections
from zoo.errors import DataError
from zoo.evaluate import EdgeCasePolicy, Evaluator, GroundTruth
from zoo.evaluate.coco.backend import available
from zoo.labels import LabelSpace

IMAGES = 300
EMPTY = EdgeCasePolicy(unseen_images="empty")


@pytest.fixture(autouse=True)
def switch_often() -> Iterator[None]:
    """Threads take turns as often as they can, so that what can go wrong does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(scope="module")
def boxes() -> np.ndarray:
    box = np.random.default_rng(0).random((IMAGES, 4)) * 50
    box[:, 2:] += box[:, :2]
    return box


@pytest.fixture(scope="module")
def truth(boxes) -> GroundTruth:
    return GroundTruth.of(
        range(IMAGES),
        {"image": range(IMAGES), "label": [0] * IMAGES, "box": boxes},
        label_space=["a"],
    )


@pytest.fixture(scope="module")
def found(boxes) -> list[dict[str, Any]]:
    """Two detections an image, one of them near the box."""
    random, shift = np.random.default_rng(1), np.array([[0, 0, 2, 2], [9, 9, 9, 9]])
    return [
        {"boxes": box + shift, "scores": random.random(2), "labels": np.zeros(2, int)}
        for box in boxes
    ]


def together(work: Callable[[int], Any], count: int, threads: int = 4) -> list[Any]:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, range(count)))


def whole(truth: GroundTruth, found: list[dict[str, Any]], **options: Any) -> Evaluator:
    evaluator = Evaluator(truth, **options)
    evaluator.update(range(IMAGES), found)
    return evaluator


@pytest.mark.parametrize("backend", available())
def test_many_threads_hand_over_the_same_bits_as_one(truth, found, backend) -> None:
    right = whole(truth, found).state()
    for _ in range(4):
        evaluator = Evaluator(truth, backend=backend, threads=2)
        together(lambda image, to=evaluator: to.update([image], [found[image]]), IMAGES)
        assert evaluator.state() == right


def test_numbers_asked_for_meanwhile_are_those_of_whole_updates(truth, found) -> None:
    evaluator, pair = Evaluator(truth, policy=EMPTY), 2
    possible = []
    for stop in range(0, IMAGES + 1, pair):
        one = Evaluator(truth, policy=EMPTY)
        one.update(range(stop), found[:stop])
        possible.append((one.state(), one.numbers()))
    done, answers = threading.Event(), []

    def ask() -> None:
        while not done.is_set():
            answers.append((evaluator.state(), None))
            answers.append((None, evaluator.numbers()))

    asking = threading.Thread(target=ask)
    asking.start()
    for start in range(0, IMAGES, pair):
        evaluator.update([start + 1, start], [found[start + 1], found[start]])
    done.set()
    asking.join()
    states, numbers = {state for state, _ in possible}, [values for _, values in possible]
    assert answers
    assert all(state in states if state else values in numbers for state, values in answers)
    assert evaluator.state() == possible[-1][0]


def test_a_sample_stays_what_it_was_while_more_comes_in(truth, found) -> None:
    evaluator = Evaluator(truth, policy=EdgeCasePolicy(unseen_images="leave out"))
    evaluator.update(range(100), found[:100])
    sample, outcomes = evaluator.matched_images(), evaluator.outcomes
    before = {name: column.tobytes() for name, column in vars(outcomes).items()}
    evaluator.update(range(100, IMAGES), found[100:])
    evaluator.numbers()
    assert {name: column.tobytes() for name, column in vars(outcomes).items()} == before
    assert sample.counted.sum() == 100
    alone = Evaluator(truth, policy=EdgeCasePolicy(unseen_images="leave out"))
    alone.update(range(100), found[:100])
    assert sample.numbers() == alone.numbers()


def test_an_image_that_two_threads_hand_over_is_taken_once_and_refused_once(truth, found) -> None:
    evaluator = Evaluator(truth)

    def hand_over(number: int) -> str:
        try:
            evaluator.update([number // 2], [found[number // 2]])
        except DataError as why:
            return str(why)
        return ""

    refused = sorted(filter(None, together(hand_over, 2 * IMAGES)))
    assert len(refused) == IMAGES
    assert all("are there already" in message for message in refused)
    assert evaluator.state() == whole(truth, found).state()


def test_evaluators_that_merge_each_other_at_once_end_and_hold_the_same(truth, found) -> None:
    once = EdgeCasePolicy(repeated_images="once")
    pair = Evaluator(truth, policy=once), Evaluator(truth, policy=once)
    pair[0].update(range(0, IMAGES, 2), found[::2])
    pair[1].update(range(1, IMAGES, 2), found[1::2])
    together(lambda number: pair[number % 2].merge(pair[1 - number % 2]), 12)
    assert pair[0].state() == pair[1].state() == whole(truth, found, policy=once).state()


def test_shards_are_merged_by_many_threads(truth, found) -> None:
    evaluator = Evaluator(truth)

    def shard(number: int) -> None:
        some = range(number, IMAGES, 30)
        one = Evaluator(truth)
        one.update(some, [found[image] for image in some])
        evaluator.merge(one)

    together(shard, 30)
    assert evaluator.state() == whole(truth, found).state()


def test_unmet_classes_are_counted_once_each(truth) -> None:
    theirs = LabelSpace.custom(["a", "zebra"])
    evaluator = Evaluator(truth)
    one = Detections(torch.tensor([[0, 0, 9, 9.0]]), torch.tensor([0.5]), torch.tensor([1]), theirs)
    together(lambda image: evaluator.update([image], [one]), IMAGES)
    assert evaluator.unmet == {"zebra": IMAGES}


@pytest.mark.parametrize("backend", ["auto", "numpy"])
def test_a_copy_holds_the_same_and_goes_its_own_way(truth, found, backend) -> None:
    evaluator = Evaluator(truth, backend=backend, threads=1)
    evaluator.update(range(100), found[:100])
    for copied in (
        pickle.loads(pickle.dumps(evaluator)),
        copy.deepcopy(evaluator),
        copy.copy(evaluator),
    ):
        assert copied.state() == evaluator.state()
        copied.update(range(100, IMAGES), found[100:])
        assert copied.numbers() == whole(truth, found).numbers()
    assert len(evaluator.outcomes.images) == 100


def test_what_is_pickled_meanwhile_is_whole(truth, found) -> None:
    evaluator = Evaluator(truth)

    def work(number: int) -> bytes | None:
        if number % 10:
            return evaluator.update([number], [found[number]])
        evaluator.update([number], [found[number]])
        return pickle.dumps(evaluator)

    for pickled in filter(None, together(work, IMAGES)):
        images = pickle.loads(pickled).outcomes.images.tolist()
        alone = Evaluator(truth)
        alone.update(images, [found[image] for image in images])
        assert pickle.loads(pickled).state() == alone.state()
    assert evaluator.state() == whole(truth, found).state()


def test_evaluators_of_one_ground_truth_do_not_disturb_each_other(boxes, found) -> None:
    fresh = GroundTruth.of(
        range(IMAGES),
        {"image": range(IMAGES), "label": [0] * IMAGES, "box": boxes},
        label_space=["a"],
    )
    states = together(lambda _: whole(fresh, found, threads=1).state(), 8, threads=8)
    assert len(set(states)) == 1
