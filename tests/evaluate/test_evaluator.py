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
from zoo.errors import DataError, UsageError
from zoo.evaluate import Evaluator, GroundTruth, Policy, Settings
from zoo.evaluate.engine import available
from zoo.labels import LabelSpace

NAMES = ("cat", "dog", "bird")
SPACE = LabelSpace.custom(NAMES)


@pytest.fixture(scope="module")
def truth() -> GroundTruth:
    random = np.random.default_rng(1)
    corner, side = random.uniform(0, 200, (60, 2)), random.uniform(5, 120, (60, 2))
    boxes = {
        "image": random.integers(0, 12, 60) * 7,
        "label": random.integers(0, 3, 60),
        "box": np.concatenate([corner, corner + side], 1),
        "crowd": random.uniform(size=60) < 0.1,
    }
    return GroundTruth.of(
        [number * 7 for number in range(12)], boxes, label_space=SPACE, name="made.json"
    )


@pytest.fixture(scope="module")
def found(truth: GroundTruth) -> dict[int, dict[str, torch.Tensor]]:
    """Image id -> detections near the boxes, best first, of varying number."""
    random = np.random.default_rng(2)
    made = {}
    for row, image_id in enumerate(truth.image_ids.tolist()):
        near = truth.xywh[truth.images == row].repeat(2, 0) + random.normal(
            0, 6, (2 * int((truth.images == row).sum()), 4)
        )
        boxes = np.concatenate([near[:, :2], near[:, :2] + np.abs(near[:, 2:])], 1)
        scores = np.sort(random.uniform(size=len(boxes)).round(1))[::-1]
        labels = np.where(
            random.uniform(size=len(boxes)) < 0.8, truth.labels[truth.images == row].repeat(2), 0
        )
        made[image_id] = {
            "boxes": torch.tensor(boxes, dtype=torch.float32),
            "scores": torch.tensor(scores.copy(), dtype=torch.float32),
            "labels": torch.tensor(labels, dtype=torch.int64),
        }
    return made


def fed(
    truth: GroundTruth, found: dict[int, Any], ids: list[int], *, batch: int = 4, **options: Any
) -> Evaluator:
    evaluator = Evaluator(truth, **options)
    for start in range(0, len(ids), batch):
        evaluator.update(
            ids[start : start + batch], [found[one] for one in ids[start : start + batch]]
        )
    return evaluator


@settings(max_examples=25, deadline=None)
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


@pytest.mark.parametrize("engine", available())
def test_with_the_policy_once_a_repeated_image_counts_once_whatever_the_order(
    truth, found, engine
) -> None:
    other = {**found, 7: {column: value[:1] for column, value in found[7].items()}}
    once = Policy(repeated_images="once")
    states, plain = (
        set(),
        {
            fed(truth, one, truth.image_ids.tolist(), policy=once, engine=engine).state()
            for one in (found, other)
        },
    )
    for first, second in itertools.permutations((found, other)):
        evaluator = fed(truth, first, truth.image_ids.tolist(), policy=once, engine=engine)
        evaluator.merge(fed(truth, second, [7], policy=once, engine=engine))
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
    assert fed(truth, found, ids[:-2], policy=Policy(unseen_images="empty")).numbers() == empty
    left_out = fed(truth, found, ids[:-2], policy=Policy(unseen_images="leave out")).numbers()
    assert left_out["AR100"] > empty["AR100"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": torch.tensor([float("nan")])}, "image 7 .*\n.*score is nan"),
        ({"boxes": torch.tensor([[0.0, 0.0, float("inf"), 1.0]])}, "image 7 .*\n.*box is .*inf"),
        ({"labels": torch.tensor([3])}, "image 7 .*\n.*label is 3; there are 3 classes"),
        ({"labels": torch.tensor([-1])}, "image 7 .*\n.*label is -1"),
        ({"boxes": torch.zeros(1, 5)}, r"image 7 .*\n.*shapes \(1, 5\)"),
        ({"scores": torch.zeros(2)}, "image 7 .*\n.*shapes"),
        ({"labels": torch.tensor([0.5])}, "image 7 .*\n.*detection 0 is wrong: its label is 0.5"),
        ({"labels": torch.tensor([float("nan")])}, "image 7 .*\n.*its label is nan"),
        ({"labels": np.array(["dog"])}, "image 7 .*\n.*labels are <U3(.|\n)*label_space.label"),
        ({"labels": np.array([True])}, "image 7 .*\n.*labels are bool"),
        ({"scores": np.array(["high"])}, "image 7 .*\n.*scores are <U4"),
        (
            {"boxes": torch.tensor([[5.0, 0, 4, 1]])},
            "image 7 .*\n.*right or lower edge(.|\n)*box_format='xywh'",
        ),
        ({"scores": None}, "image 7 .*\n.*a dict without scores"),
    ],
    ids=[
        *(
            "nan score",
            "infinite box",
            "label too large",
            "negative label",
            "five numbers a box",
            "two scores",
        ),
        *(
            "half a label",
            "nan label",
            "text label",
            "bool label",
            "text score",
            "inverted box",
            "no scores",
        ),
    ],
)
def test_bad_detections_name_their_image(truth, change, message) -> None:
    good = {
        "boxes": torch.ones(1, 4),
        "scores": torch.ones(1),
        "labels": torch.ones(1, dtype=torch.int64),
    }
    evaluator = Evaluator(truth)
    with pytest.raises(DataError, match=message):
        evaluator.update([0, 7], [good, good | change])
    evaluator.update([0, 7], [good, good])  # nothing of the refused batch has stayed


def test_an_unknown_image_and_a_wrong_count_are_refused(truth, found) -> None:
    with pytest.raises(DataError, match="Image 5 is not in"):
        Evaluator(truth).update([5], [found[0]])
    with pytest.raises(DataError, match="Image 'a' is not in"):
        Evaluator(truth).update(["a"], [found[0]])
    with pytest.raises(DataError, match=r"of 2 images.*\n.*has 1 item\."):
        Evaluator(truth).update([0, 7], [found[0]])
    with pytest.raises(DataError, match="how many of its rows are real"):
        Evaluator(truth).update(
            [0],
            {"boxes": np.zeros((1, 3, 4)), "scores": np.zeros((1, 3)), "labels": np.zeros((1, 3))},
        )


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
        Evaluator(truth).merge(Evaluator(truth, settings=Settings(detections=(10,))))


def test_only_evaluators_are_merged(truth) -> None:
    evaluator = Evaluator(truth)
    with pytest.raises(DataError, match=r"bytes become one by Evaluator\.from_state"):
        evaluator.merge(evaluator.state())  # type: ignore[arg-type]


def test_a_state_comes_back_whole(truth, found) -> None:
    whole = fed(
        truth,
        found,
        truth.image_ids.tolist(),
        settings=Settings(detections=(5, 50)),
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


def test_more_detections_than_images_are_refused_at_any_length(truth) -> None:
    many = GroundTruth.of(range(256), {"image": [], "label": [], "box": []}, label_space=SPACE)
    nothing = {"boxes": np.zeros((0, 4)), "scores": np.zeros(0), "labels": np.zeros(0, int)}
    with pytest.raises(DataError, match=r"of 256 images.*\n.*has 300 items\."):
        Evaluator(many).update(range(256), [nothing] * 300)


@pytest.mark.parametrize(
    "counts",
    [
        [[True, False], [True, True]],
        [True, False],
        [1, 4],
        [1, -1],
        [1, 1.5],
        [1, True, 1],
        [1],
        1,
        ["one", 1],
    ],
)
def test_counts_that_do_not_fit_are_refused(truth, counts) -> None:
    padded = {
        "boxes": np.ones((2, 3, 4)),
        "scores": np.ones((2, 3)),
        "labels": np.ones((2, 3), int),
        "counts": counts,
    }
    with pytest.raises(DataError, match="`counts`"):
        Evaluator(truth).update([0, 7], padded)


@pytest.mark.parametrize(
    ("detections", "message"),
    [
        (Detections.empty(SPACE), "a Detections, no list"),
        ("boxes", "a str, no list"),
        (iter([]), "no list"),
        ([5], "image 0 .*\n.*an int without boxes, scores, labels"),
        (
            [{"boxes": [[0, 0, 1, 1], [0, 0]], "scores": [1, 1], "labels": [0, 0]}],
            "image 0 .*\n.*several lengths",
        ),
        ({"boxes": [], "counts": []}, "no `scores`"),
    ],
)
def test_what_is_no_list_of_detections_is_refused(truth, detections, message) -> None:
    with pytest.raises(DataError, match=message):
        Evaluator(truth).update([0], detections)


@pytest.mark.parametrize("image_ids", ["a.jpg", 7, np.int64(7)])
def test_one_id_is_no_list_of_ids(truth, found, image_ids) -> None:
    with pytest.raises(UsageError, match=r"Pass \["):
        Evaluator(truth).update(image_ids, [found[0]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"policy": "pycocotools"}, "'policy' is a Policy, and that is a str"),
        ({"settings": {"ious": [0.5]}}, "'settings' is a Settings, and that is a dict"),
        ({"engine": "kernal"}, "Did you mean 'kernel'"),
        ({"threads": 0}, "threads=0"),
        ({"threads": -1}, "threads=-1"),
    ],
)
def test_options_that_there_are_not_are_refused(truth, options, message) -> None:
    with pytest.raises(UsageError, match=message):
        Evaluator(truth, **options)


def test_a_format_of_boxes_that_there_is_not_is_refused(truth, found) -> None:
    for box_format in ("xwyh", "cxcywh", None):
        with pytest.raises(UsageError, match="'box_format' is 'xyxy' or 'xywh'"):
            Evaluator(truth).update([0], [found[0]], box_format=box_format)
        with pytest.raises(UsageError, match="'box_format' is 'xyxy' or 'xywh'"):
            GroundTruth.of(
                [1],
                {"image": [1], "label": [0], "box": [[0, 0, 1, 1]]},
                label_space=SPACE,
                box_format=box_format,
            )


@pytest.mark.parametrize(
    "wrong",
    [
        {"resamples": -1},
        {"resamples": 1},
        {"resamples": 1.5},
        {"resamples": True},
        {"seed": -1},
        {"level": 1},
    ],
)
def test_resamplings_that_can_not_be_are_refused(truth, found, wrong) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(wrong))}="):
        fed(truth, found, truth.image_ids.tolist()).compute(**wrong)


def test_areas_that_a_file_does_not_have_are_refused_where_the_policy_says_so() -> None:
    truth = GroundTruth.of(
        [1], {"image": [1], "label": [0], "box": [[0, 0, 1, 1]]}, label_space=SPACE, no_area=1
    )
    Evaluator(truth)
    with pytest.raises(DataError, match="1 of its 1 annotation has no area"):
        Evaluator(truth, policy=Policy.pycocotools())
