"""What goes in and how: batches, shards, processes, forms of detections; the bits stay the same,
and mistakes are named."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.detections import Detections
from zoo.errors import DataError
from zoo.evaluate import CocoSettings, EdgeCasePolicy, Evaluator, GroundTruth
from zoo.evaluate.coco.backend import available
from zoo.labels import LabelSpace

NAMES = ("cat", "dog", "bird")
SPACE = LabelSpace.custom(NAMES)


def fed(
    truth: GroundTruth, found: dict[int, Any], ids: list[int], *, batch: int = 4, **options: Any
) -> Evaluator:
    evaluator = Evaluator(truth, **options)
    for start in range(0, len(ids), batch):
        evaluator.update(
            ids[start : start + batch], [found[one] for one in ids[start : start + batch]]
        )
    return evaluator


@settings(max_examples=25)
@given(
    data=st.data(), batch=st.integers(1, 12), shards=st.integers(1, 5), threads=st.integers(1, 3)
)
def test_batches_shards_and_their_order_change_no_bit(
    truth, found, data, batch, shards, threads
) -> None:
    ids = data.draw(st.permutations(truth.image_ids.tolist()))
    parts = [
        fed(truth, found, ids[number::shards], batch=batch, threads=threads)
        for number in range(shards)
    ]
    first = parts[0]
    for other in data.draw(st.permutations(parts[1:])):
        first.merge(other)
    whole = fed(truth, found, truth.image_ids.tolist(), batch=100, threads=1)
    assert first.state() == whole.state()
    assert first.numbers() == whole.numbers()


def test_every_form_of_the_same_detections_gives_the_same_bits(truth, found) -> None:
    ids = truth.image_ids.tolist()
    most = max(len(one["scores"]) for one in found.values())
    padded: dict[str, Any] = {
        "boxes": torch.full((len(ids), most, 4), -1.0),
        "scores": torch.full((len(ids), most), 2.0),
        "labels": torch.full((len(ids), most), -1),
        "counts": torch.tensor([len(found[one]["scores"]) for one in ids]),
    }
    for row, one in enumerate(ids):
        for column in ("boxes", "scores", "labels"):
            padded[column][row, : padded["counts"][row]] = found[one][column]
    forms: dict[str, Any] = {
        "tensors": [found[one] for one in ids],
        "arrays": [{column: value.numpy() for column, value in found[one].items()} for one in ids],
        "wider": [
            {column: value.numpy() for column, value in found[one].items()}
            | {"labels": found[one]["labels"].int()}
            for one in ids
        ],
        "detections": [
            Detections(found[one]["boxes"], found[one]["scores"], found[one]["labels"], SPACE)
            for one in ids
        ],
        "padded": padded,
    }
    states = set()
    for form in forms.values():
        evaluator = Evaluator(truth)
        evaluator.update(ids, form)
        states.add(evaluator.state())
    assert len(states) == 1


def test_half_precision_tensors_are_widened_exactly(truth) -> None:
    boxes = torch.tensor([[0.0, 0.0, 10.0, 10.0]])
    evaluator = Evaluator(truth)
    for image_id, dtype in ((0, torch.float16), (7, torch.bfloat16)):
        evaluator.update(
            [image_id],
            [
                {
                    "boxes": boxes.to(dtype),
                    "scores": torch.tensor([0.5], dtype=dtype),
                    "labels": torch.tensor([1]),
                }
            ],
        )
    assert evaluator.outcomes.scores.tolist() == [0.5, 0.5]


def test_classes_meet_by_name_and_those_that_do_not_are_counted(truth) -> None:
    theirs = LabelSpace.custom(["bird", "zebra", "Cat"])
    evaluator = Evaluator(truth)
    boxes = torch.tensor([[0.0, 0.0, 5.0, 5.0]]).repeat(4, 1)
    evaluator.update(
        [0, 7],
        [
            Detections(boxes, torch.full((4,), 0.5), torch.tensor([0, 1, 2, 1]), theirs),
            Detections.empty(theirs),
        ],
    )
    assert evaluator.outcomes.labels.tolist() == [0, 2]
    assert evaluator.unmet == {"zebra": 2}


def test_an_image_that_comes_twice_is_refused_by_name_and_nothing_is_lost(truth, found) -> None:
    evaluator = fed(truth, found, [0, 7])
    before = evaluator.state()
    with pytest.raises(DataError, match="image 7 were handed over"):
        evaluator.update([14, 7], [found[14], found[7]])
    with pytest.raises(DataError, match="image 21 were handed over"):
        evaluator.update([21, 21], [found[21], found[21]])
    with pytest.raises(DataError, match="image 0 were handed over"):
        evaluator.merge(fed(truth, found, [0]))
    assert evaluator.state() == before


@pytest.mark.parametrize("backend", available())
def test_with_the_policy_once_a_repeated_image_counts_once_whatever_the_order(
    truth, found, backend
) -> None:
    other = {**found, 7: {column: value[:1] for column, value in found[7].items()}}
    once = EdgeCasePolicy(repeated_images="once")
    states, plain = (
        set(),
        {
            fed(truth, one, truth.image_ids.tolist(), policy=once, backend=backend).state()
            for one in (found, other)
        },
    )
    for first, second in itertools.permutations((found, other)):
        evaluator = fed(truth, first, truth.image_ids.tolist(), policy=once, backend=backend)
        evaluator.merge(fed(truth, second, [7], policy=once, backend=backend))
        evaluator.update([0, 0, 7], [found[0], found[0], second[7]])
        states.add(evaluator.state())
    assert len(states) == 1
    assert states <= plain


def test_a_forgotten_image_is_named_unless_the_policy_says_what_it_is(truth, found) -> None:
    ids = truth.image_ids.tolist()
    with pytest.raises(DataError, match="2 of its 12 images were never handed over, among them 70"):
        fed(truth, found, ids[:-2]).numbers()
    nothing = {"boxes": np.zeros((0, 4)), "scores": np.zeros(0), "labels": np.zeros(0, int)}
    empty = fed(truth, {**found, ids[-1]: nothing, ids[-2]: nothing}, ids).numbers()
    assert (
        fed(truth, found, ids[:-2], policy=EdgeCasePolicy(unseen_images="empty")).numbers() == empty
    )
    left_out = fed(
        truth, found, ids[:-2], policy=EdgeCasePolicy(unseen_images="leave out")
    ).numbers()
    assert left_out["AR100"] > empty["AR100"]


def test_image_ids_may_be_text() -> None:
    truth = GroundTruth.of(
        ["b", "a"], {"image": ["b"], "label": [0], "box": [[0, 0, 10, 10]]}, label_space=["thing"]
    )
    evaluator = Evaluator(truth)
    evaluator.update(
        ["a", "b"], [{"boxes": [[0.0, 0.0, 10.0, 10.0]], "scores": [0.5], "labels": [0]}] * 2
    )
    assert evaluator.numbers()["AP"] == pytest.approx(
        0.5
    )  # of equal scores the one in image "a" comes first, and it is wrong
    assert evaluator.outcomes.hits.tolist() == [1]


def test_evaluators_of_different_things_are_not_merged(truth, found) -> None:
    smaller = GroundTruth.of(
        [0, 7], {"image": [], "label": [], "box": []}, label_space=SPACE, name="other.json"
    )
    with pytest.raises(DataError, match=r"made\.json and other\.json"):
        Evaluator(truth).merge(Evaluator(smaller))
    with pytest.raises(DataError, match="Their settings differ"):
        Evaluator(truth).merge(Evaluator(truth, settings=CocoSettings(detections=(10,))))


def test_only_evaluators_are_merged(truth) -> None:
    evaluator = Evaluator(truth)
    with pytest.raises(DataError, match=r"bytes become one by Evaluator\.from_state"):
        evaluator.merge(evaluator.state())  # type: ignore[arg-type]


def test_a_state_comes_back_whole(truth, found) -> None:
    whole = fed(
        truth,
        found,
        truth.image_ids.tolist(),
        settings=CocoSettings(detections=(5, 50)),
        analyses=False,
    )
    back = Evaluator.from_state(whole.state(), truth)
    assert back.state() == whole.state()
    assert back.numbers() == whole.numbers()
    with pytest.raises(DataError, match="already"):
        back.update([0], [found[0]])


def test_labels_that_are_whole_numbers_in_floats_are_taken(truth, found) -> None:
    floats = {image: one | {"labels": one["labels"].float()} for image, one in found.items()}
    ids = truth.image_ids.tolist()
    assert fed(truth, floats, ids).state() == fed(truth, found, ids).state()
