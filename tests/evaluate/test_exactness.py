"""The promise of the evaluator: pycocotools' numbers and arrays, bit for bit, in every corner."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.errors import DataError
from zoo.evaluate import CocoSettings, EdgeCasePolicy, Evaluator
from zoo.evaluate.coco.backend import available
from zoo.evaluate.coco_files import read, read_results

PAIRS = [
    (
        "eval_reference/coco_fakebbox100/instances_val2014_100.json",
        "eval_reference/coco_fakebbox100/instances_val2014_fakebbox100_results.json",
    ),
    ("coco_val2017_128/instances.json", "coco_val2017_128/yolox_nano_detections.json"),
    ("eval_reference/edge_cases/gt.json", "eval_reference/edge_cases/dt.json"),
    ("eval_reference/edge_cases/edge_gt.json", "eval_reference/edge_cases/edge_dt.json"),
    ("eval_reference/edge_cases/zero_gt.json", "eval_reference/edge_cases/zero_dt.json"),
]
README = [
    0.5045806987249628,
    0.6969727247299577,
    0.5729816669904824,
    0.5856257209410443,
    0.5193996948036719,
    0.5013978986347466,
    0.38681277964578054,
    0.5936795762842003,
    0.595352982877607,
    0.6398109626113442,
    0.5664205978994309,
    0.5642905982905982,
]


def measured(
    truth_file: Path, results_file: Path, backend: Any, policy: EdgeCasePolicy | None = None
) -> Evaluator:
    evaluator = Evaluator(read(truth_file), backend=backend, policy=policy)
    image_ids, detections = read_results(results_file, evaluator.dataset)
    evaluator.update(image_ids, detections, box_format="xywh")
    return evaluator


@pytest.mark.parametrize("backend", available())
@pytest.mark.parametrize(
    "files", PAIRS, ids=lambda files: Path(files[0]).stem + "-" + Path(files[0]).parent.name
)
def test_reference_data_gives_pycocotools_bits(
    files, backend, shared, pycocotools_on, assert_same_curves
) -> None:
    evaluator = measured(
        shared / files[0], shared / files[1], backend, EdgeCasePolicy.pycocotools()
    )
    run = pycocotools_on(
        json.loads((shared / files[0]).read_text()), json.loads((shared / files[1]).read_text())
    )
    assert_same_curves(evaluator.curves(), run)
    assert list(evaluator.numbers().values()) == run.stats.tolist()


@pytest.mark.parametrize("backend", available())
def test_the_coco_api_s_own_example_gives_its_published_numbers(backend, shared) -> None:
    assert (
        list(measured(shared / PAIRS[0][0], shared / PAIRS[0][1], backend).numbers().values())
        == README
    )


@pytest.mark.parametrize("backend", available())
def test_a_real_detector_s_boxes_give_exactly_the_expected_twelve_numbers(backend, shared) -> None:
    expected = json.loads((shared / "coco_val2017_128/yolox_nano_expected.json").read_text())
    assert (
        list(measured(shared / PAIRS[1][0], shared / PAIRS[1][1], backend).numbers().values())
        == expected["stats"]
    )


SIDE = st.sampled_from([0, 1, 2, 3, 4, 5, 10, 16, 20, 32, 96, 97])
SCORE = st.sampled_from([0.0, -0.0, -1.0, 0.1, 0.5, 0.5, 0.5, 0.9, 1.0, 1e-300, 3.0])


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]], list[int]]:
    """A data set where boxes sit on a coarse grid, so that overlaps, areas and scores tie and lie
    exactly on thresholds."""
    image_ids = draw(st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True))
    categories = draw(st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True))
    crowds = draw(st.sampled_from([0.0, 0.0, 0.4]))
    box = st.tuples(st.sampled_from([0, 0, 0, 1, 5, 10]), st.sampled_from([0, 0, 0, 2]), SIDE, SIDE)
    place = st.tuples(st.sampled_from(image_ids), st.sampled_from(categories), box)
    annotations, first = [], draw(st.sampled_from([0, 1]))
    for number, (image, category, xywh) in enumerate(draw(st.lists(place, max_size=14))):
        area = draw(st.sampled_from([float(xywh[2] * xywh[3])] * 3 + [0.0, 1024.0, 9216.0]))
        crowd = int(draw(st.floats(0, 0.99)) < crowds)
        annotations.append(
            {
                "image_id": image,
                "category_id": category,
                "bbox": list(map(float, xywh)),
                "area": area,
                "iscrowd": crowd,
                "id": first + number,
            }
        )
    found = draw(st.lists(st.tuples(place, SCORE), max_size=25))
    repeated = draw(st.sampled_from([1, 1, 1, 12]))  # more than 100 in one image and class
    same = draw(st.booleans())
    results = [
        {
            "image_id": image,
            "category_id": category,
            "bbox": list(map(float, xywh)),
            "score": 0.5 if same else score,
        }
        for (image, category, xywh), score in found * repeated
    ]
    instances = {
        "images": [{"id": number} for number in image_ids],
        "categories": [{"id": number, "name": f"class {number}"} for number in categories],
        "annotations": annotations,
    }
    return instances, results, draw(st.permutations(image_ids))


@pytest.mark.parametrize("backend", available())
@settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    case=cases(),
    batch=st.integers(1, 4),
    limits=st.sampled_from([(1, 10, 100), (1, 10, 100), (1, 2, 20), (1, 3, 10, 100)]),
)
def test_any_data_gives_pycocotools_bits(
    case, batch, limits, backend, pycocotools_on, truth_of, feed, assert_same_curves
) -> None:
    instances, results, order = case
    run = pycocotools_on(instances, results, limits)
    policy = EdgeCasePolicy(annotation_zero="miss", headline="hundred")
    evaluator = Evaluator(
        truth_of(instances),
        settings=CocoSettings(detections=limits),
        policy=policy,
        backend=backend,
        threads=2,
    )
    feed(evaluator, results, batch=batch, order=order)
    assert_same_curves(evaluator.curves(), run)
    shown = [
        value
        for name, value in evaluator.numbers().items()
        if name not in [f"AR{limit}" for limit in limits[3:]]
    ]
    assert np.array(shown).tobytes() == run.stats.tobytes()


def perfect(truth_of: Any, **annotation: Any) -> tuple[Any, list[dict[str, Any]]]:
    """One box, found exactly."""
    box = {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "bbox": [0.0, 0.0, 50.0, 50.0],
        "area": 2500.0,
        "iscrowd": 0,
        **annotation,
    }
    truth = truth_of(
        {"images": [{"id": 1}], "categories": [{"id": 1, "name": "thing"}], "annotations": [box]}
    )
    return truth, [{"image_id": 1, "category_id": 1, "bbox": box["bbox"], "score": 0.9}]


@pytest.mark.parametrize(
    ("number", "default", "as_pycocotools", "setting"),
    [
        ("AP", 1.0, 0.0, {"id": 0}),
        ("AP", 1.0, -1.0, {"detections": (1, 10)}),
        ("AP at .9", 1.0, -1.0, {}),
    ],
    ids=["annotation id 0", "no limit of 100 detections", "AP at .9"],
)
def test_where_pycocotools_is_fragile_the_default_is_right_and_its_own_way_can_be_had(
    number, default, as_pycocotools, setting, truth_of, feed
) -> None:
    truth, results = perfect(
        truth_of, **{key: value for key, value in setting.items() if key == "id"}
    )
    options = CocoSettings(detections=setting.get("detections", (1, 10, 100)))
    for policy, expected in (
        (EdgeCasePolicy(), default),
        (EdgeCasePolicy.pycocotools(), as_pycocotools),
    ):
        evaluator = Evaluator(truth, settings=options, policy=policy)
        feed(evaluator, results)
        value = evaluator.ap_at(0.9) if number == "AP at .9" else evaluator.numbers()[number]
        assert value == pytest.approx(expected)


def test_a_model_that_finds_nothing_scores_0_or_is_refused(truth_of, feed) -> None:
    truth, _ = perfect(truth_of)
    evaluator = Evaluator(truth)
    feed(evaluator, [])
    assert evaluator.numbers()["AP"] == 0
    refusing = Evaluator(truth, policy=EdgeCasePolicy.pycocotools())
    with pytest.raises(DataError, match="no detection at all"):
        refusing.numbers()
