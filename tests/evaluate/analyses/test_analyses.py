"""Mistakes, operating points, LRP, calibration, confusion and slices: hand-made cases, brute force,
reference runs."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import DataError
from zoo.evaluate import CocoSettings, Evaluator, GroundTruth, Report
from zoo.evaluate.analyses.lrp import optimal
from zoo.evaluate.analyses.operating_point import best_point
from zoo.evaluate.coco_files import read, read_results

BOXES = {
    "image": [1, 1, 1, 2],
    "label": [0, 1, 0, 1],
    "box": [[0, 0, 100, 100], [200, 0, 300, 100], [400, 0, 500, 100], [0, 0, 100, 100]],
}
NAMES = ("cat", "dog")


def reported(
    found: list[tuple[int, int, float, list[float]]], boxes: dict[str, Any] = BOXES, **options: Any
) -> Report:
    """The report of detections (image, label, score, box)."""
    truth = GroundTruth.of([1, 2], boxes, label_space=NAMES)
    evaluator = Evaluator(truth, **options)
    for image in (1, 2):
        mine = [one for one in found if one[0] == image]
        evaluator.update(
            [image],
            [
                {
                    "boxes": np.array([box for *_, box in mine], float).reshape(-1, 4),
                    "scores": np.array([score for _, _, score, _ in mine]),
                    "labels": np.array([label for _, label, _, _ in mine], int),
                }
            ],
        )
    return evaluator.compute(resamples=0)


EVERY_MISTAKE: list[tuple[int, int, float, list[float]]] = [
    (1, 0, 0.95, [0, 0, 100, 100]),  # right
    (1, 0, 0.9, [0, 0, 100, 90]),  # the same cat again
    (1, 0, 0.85, [200, 0, 300, 100]),  # a dog taken for a cat
    (1, 0, 0.8, [400, 0, 500, 30]),  # a cat, badly placed
    (1, 0, 0.7, [200, 0, 300, 30]),  # a dog taken for a cat and badly placed
    (1, 1, 0.6, [0, 200, 100, 300]),  # nothing there
]


def test_each_kind_of_mistake_is_told_apart() -> None:
    analyses = reported(EVERY_MISTAKE).analyses
    assert analyses is not None
    counts = {kind: one.count for kind, one in analyses.mistakes.kinds.items()}
    assert counts == {
        "class": 1,
        "location": 1,
        "both": 1,
        "duplicate": 1,
        "background": 1,
        "missed": 1,
    }  # the dog in image 2


def test_the_cost_of_a_mistake_is_the_ap_that_its_repair_gains() -> None:
    half = [
        (1, 0, 0.9, [0, 0, 100, 100]),
        (1, 0, 0.8, [400, 0, 500, 40]),
        (1, 1, 0.7, [200, 0, 300, 100]),
        (2, 1, 0.6, [0, 0, 100, 100]),
    ]
    report = reported(half)  # type: ignore[arg-type]
    assert report.analyses is not None
    assert report.ap50 == pytest.approx((51 / 101 + 1) / 2)
    costs = {kind: one.cost for kind, one in report.analyses.mistakes.kinds.items()}
    assert costs["location"] == pytest.approx(1 - (51 / 101 + 1) / 2)
    assert [kind for kind, cost in costs.items() if cost > 1e-9] == ["location"]
    assert report.analyses.mistakes.false_negatives == pytest.approx(costs["location"])


def test_real_mistakes_are_counted_as_by_tidecv(shared) -> None:
    """tidecv 1.0.1 on the same boxes and classes; its recall points differ in their last bits, and
    its costs by as little."""
    truth = read(shared / "coco_val2017_128/instances.json")
    ids, found = read_results(shared / "coco_val2017_128/yolox_nano_detections.json", truth)
    have = np.unique(truth.labels[~truth.crowd])
    assert not truth.crowd.any()
    evaluator = Evaluator(truth)
    kept = [
        {column: values[np.isin(one["labels"], have)] for column, values in one.items()}
        for one in found
    ]
    evaluator.update(ids, kept, box_format="xywh")
    analyses = evaluator.compute(resamples=0).analyses
    assert analyses is not None
    expected = {
        "class": (340, 0.06365138619145654),
        "location": (1262, 0.06995678596982075),
        "both": (962, 0.01801680895250527),
        "duplicate": (279, 0.005991733972427014),
        "background": (2087, 0.017267216957739605),
        "missed": (156, 0.06640496063633314),
    }
    assert {kind: one.count for kind, one in analyses.mistakes.kinds.items()} == {
        kind: count for kind, (count, _) in expected.items()
    }
    for kind, (_, cost) in expected.items():
        assert analyses.mistakes.kinds[kind].cost == pytest.approx(cost, abs=2e-5)
    assert analyses.mistakes.false_positives == pytest.approx(0.1672739685154884, abs=2e-4)
    assert analyses.mistakes.false_negatives == pytest.approx(0.17795537181333607, abs=2e-4)


RANKED = st.lists(
    st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.5, 0.7]), st.booleans(), st.floats(0.5, 1.0)),
    max_size=12,
)


@settings(deadline=None)
@given(ranked=RANKED, lost=st.integers(0, 4))
def test_the_operating_point_is_the_best_of_all_thresholds(ranked, lost) -> None:
    ranked = sorted(ranked, key=lambda one: -one[0])
    scores, true = np.array([one[0] for one in ranked]), np.array([one[1] for one in ranked], bool)
    positives = int(true.sum()) + lost
    point = best_point(scores, true, positives)
    if not positives or not len(scores):
        assert point is None
        return
    assert point is not None
    by_hand = {
        score: 2 * true[scores >= score].sum() / ((scores >= score).sum() + positives)
        for score in sorted(set(scores.tolist()), reverse=True)
    }
    assert point.f1 == pytest.approx(max(by_hand.values()))
    assert by_hand[point.score] == pytest.approx(point.f1)
    assert point.precision == pytest.approx(true[scores >= point.score].mean())
    assert point.recall == pytest.approx(true[scores >= point.score].sum() / positives)


@settings(deadline=None)
@given(ranked=RANKED, lost=st.integers(0, 4))
def test_optimal_lrp_is_the_least_over_all_thresholds(ranked, lost) -> None:
    ranked = sorted(ranked, key=lambda one: -one[0])
    scores, true = np.array([one[0] for one in ranked]), np.array([one[1] for one in ranked], bool)
    ious = np.array([one[2] for one in ranked], np.float32)
    positives = int(true.sum()) + lost
    got = optimal(scores, true, ious, positives)
    if not positives:
        assert got is None
        return
    assert got is not None
    by_hand = [1.0]
    for score in set(scores.tolist()):
        kept = scores >= score
        found, false = (kept & true).sum(), (kept & ~true).sum()
        place = ((1 - ious[kept & true].astype(float)) / 0.5).sum()
        by_hand.append((place + false + positives - found) / (found + false + positives - found))
    assert got.error == pytest.approx(min(by_hand))


def test_a_perfect_detector_has_no_lrp_error_and_one_that_finds_nothing_has_all() -> None:
    perfect = [
        (1, 0, 0.9, [0, 0, 100, 100]),
        (1, 1, 0.9, [200, 0, 300, 100]),
        (1, 0, 0.8, [400, 0, 500, 100]),
        (2, 1, 0.7, [0, 0, 100, 100]),
    ]
    for found, error in ((perfect, 0.0), ([], 1.0)):
        report = reported(found)  # type: ignore[arg-type]
        assert report.analyses is not None
        assert report.analyses.lrp == error
        assert report.per_class["cat"].lrp is not None
        assert report.per_class["cat"].lrp.error == error


def test_scores_that_mean_what_they_say_have_no_calibration_error() -> None:
    grid = [[120.0 * column, 0, 120.0 * column + 100, 100] for column in range(10)]
    boxes = {"image": [1] * 8, "label": [0] * 8, "box": grid[:8]}
    honest = [(1, 0, 0.8, box) for box in grid]
    boastful = [(1, 0, 1.0, box) for box in grid]
    errors = []
    for found in (honest, boastful):
        analyses = reported(found, boxes).analyses
        assert analyses is not None
        assert analyses.calibration is not None
        assert analyses.calibration.d_ece == pytest.approx(
            analyses.calibration.la_ece
        )  # every overlap is perfect
        errors.append(analyses.calibration.d_ece)
    assert errors == [pytest.approx(0, abs=1e-12), pytest.approx(0.2)]


def test_scores_beyond_0_and_1_have_no_calibration() -> None:
    analyses = reported([(1, 0, 3.0, [0, 0, 100, 100])]).analyses
    assert analyses is not None
    assert analyses.calibration is None


def test_the_confusion_names_what_is_taken_for_what() -> None:
    analyses = reported(EVERY_MISTAKE).analyses
    assert analyses is not None
    assert analyses.operating is not None
    assert analyses.confusion is not None
    assert analyses.operating.score == 0.95
    assert set(analyses.confusion.cells) == {("cat", "cat", 1), ("cat", None, 1), ("dog", None, 2)}


def test_every_box_and_every_kept_detection_is_in_the_confusion_once(shared) -> None:
    truth = read(shared / "coco_val2017_128/instances.json")
    ids, found = read_results(shared / "coco_val2017_128/yolox_nano_detections.json", truth)
    evaluator = Evaluator(truth)
    evaluator.update(ids, found, box_format="xywh")
    analyses = evaluator.compute(resamples=0).analyses
    assert analyses is not None
    assert analyses.confusion is not None
    matrix = analyses.confusion.matrix(truth.label_space.names)
    kept = np.concatenate(
        [one["labels"][one["scores"] >= analyses.confusion.score] for one in found]
    )
    assert matrix[:-1].sum(1).tolist() == np.bincount(truth.labels, minlength=80).tolist()
    assert matrix[:, :-1].sum(0).tolist() == np.bincount(kept, minlength=80).tolist()
    off = matrix[:-1, :-1].sum() - np.trace(matrix[:-1, :-1])
    assert 0 < off < np.trace(matrix[:-1, :-1])


def test_an_analysis_that_was_not_kept_is_refused_with_the_way_to_keep_it() -> None:
    report = reported(EVERY_MISTAKE, analyses=False)
    assert report.analyses is None
    assert report.per_class["cat"].operating is None


@pytest.fixture(scope="module")
def sliced(shared) -> tuple[GroundTruth, list[Any], list[dict[str, Any]]]:
    truth = read(shared / "coco_val2017_128/instances.json")
    ids, found = read_results(shared / "coco_val2017_128/yolox_nano_detections.json", truth)
    return truth, ids, found


def test_a_slice_of_images_is_what_those_images_alone_give(sliced) -> None:
    truth, ids, found = sliced
    images = {
        "id": truth.image_ids,
        "wide": truth.image_attributes["width"] > truth.image_attributes["height"],
    }
    boxes = {
        "image": truth.image_ids[truth.images],
        "label": truth.labels,
        "box": truth.xywh,
        "area": truth.areas,
        "id": truth.ids,
    }
    whole = Evaluator(
        GroundTruth.of(images, boxes, label_space=truth.label_space, box_format="xywh")
    )
    whole.update(ids, found, box_format="xywh")
    slices = whole.by_image("wide")
    assert set(slices) == {False, True}
    for wide, numbers in slices.items():
        rows = images["wide"] == wide
        inside = rows[truth.images]
        part = {key: value[inside] for key, value in boxes.items()}
        alone = Evaluator(
            GroundTruth.of(
                truth.image_ids[rows], part, label_space=truth.label_space, box_format="xywh"
            )
        )
        alone.update(
            truth.image_ids[rows],
            [one for one, there in zip(found, rows, strict=True) if there],
            box_format="xywh",
        )
        assert alone.numbers() == numbers
    with pytest.raises(DataError, match=r"have these: wide"):
        whole.by_image("weather")


def test_a_slice_of_boxes_leaves_the_other_boxes_out_without_harm() -> None:
    boxes = {**BOXES, "occluded": ["no", "yes", "no", "no"]}
    truth = GroundTruth.of([1, 2], boxes, label_space=NAMES)
    evaluator = Evaluator(truth, settings=CocoSettings(slices=("occluded",)))
    found = {
        "boxes": np.array([[0.0, 0, 100, 100], [200, 0, 300, 100]]),
        "scores": np.array([0.9, 0.8]),
        "labels": np.array([0, 1]),
    }
    evaluator.update([1], [found])
    evaluator.update([2], [{column: values[:0] for column, values in found.items()}])
    numbers = evaluator.numbers()
    assert numbers["AP[occluded=yes]"] == pytest.approx(
        1
    )  # the one occluded dog was found; the dog in image 2 is left out
    assert numbers["AR[occluded=no]"] == pytest.approx(0.25)  # one of two cats, none of one dog
    with pytest.raises(DataError, match="have these attributes: occluded"):
        Evaluator(truth, settings=CocoSettings(slices=("truncated",)))
