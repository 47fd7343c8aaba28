"""pycocotools as the oracle, and small made-up data sets in its own format."""

import contextlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch.nn.modules.module import register_module_forward_hook

import zoo
from zoo.data import Dataset
from zoo.evaluate import Evaluator, GroundTruth, Predictions
from zoo.evaluate.coco.accumulation import Curves
from zoo.labels import LabelSpace


def _loaded(
    images: list[dict[str, Any]],
    categories: list[dict[str, Any]],
    annotations: list[dict[str, Any]],
) -> COCO:
    made = COCO()
    made.dataset = {"images": images, "categories": categories, "annotations": annotations}
    made.createIndex()
    return made


def _as_pycocotools(
    instances: dict[str, Any], results: list[dict[str, Any]], limits: tuple[int, ...] = (1, 10, 100)
) -> COCOeval:
    detections = [
        {**one, "id": number + 1, "area": one["bbox"][2] * one["bbox"][3], "iscrowd": 0}
        for number, one in enumerate(results)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = _loaded(
            instances["images"],
            instances["categories"],
            [dict(one) for one in instances["annotations"]],
        )
        run = COCOeval(
            truth, _loaded(instances["images"], instances["categories"], detections), "bbox"
        )
        run.params.maxDets = list(limits)
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run


@pytest.fixture(scope="session")
def pycocotools_on() -> Callable[..., COCOeval]:
    """(instances, results, limits of detections) -> pycocotools' evaluation, done; unlike `loadRes`
    for an empty list too."""
    return _as_pycocotools


@pytest.fixture(scope="session")
def truth_of() -> Callable[[dict[str, Any]], GroundTruth]:
    """A COCO instances dictionary -> ground truth."""

    def made(instances: dict[str, Any]) -> GroundTruth:
        categories = sorted(instances["categories"], key=lambda one: one["id"])
        label_space = LabelSpace(
            "custom",
            tuple(one["name"] for one in categories),
            tuple(one["id"] for one in categories),
        )
        annotations = instances["annotations"]
        boxes = {
            "image": [one["image_id"] for one in annotations],
            "label": np.array(
                [label_space.label_of_id[one["category_id"]] for one in annotations], int
            ),
            "box": np.array([one["bbox"] for one in annotations], float).reshape(-1, 4),
            "area": np.array([one["area"] for one in annotations], float),
            "crowd": np.array([one["iscrowd"] for one in annotations], bool),
            "id": np.array([one["id"] for one in annotations], int),
        }
        return GroundTruth.of(
            [one["id"] for one in instances["images"]],
            boxes,
            label_space=label_space,
            box_format="xywh",
        )

    return made


@pytest.fixture(scope="session")
def feed() -> Callable[..., None]:
    """Hands a COCO results list to an evaluator, some images at a time, in a given order of
    images."""

    def fed(
        evaluator: Evaluator,
        results: list[dict[str, Any]],
        *,
        batch: int = 1000,
        order: list[int] | None = None,
    ) -> None:
        truth = evaluator.dataset
        ids = order if order is not None else truth.image_ids.tolist()
        for start in range(0, len(ids), batch):
            some = ids[start : start + batch]
            found = [[one for one in results if one["image_id"] == image_id] for image_id in some]
            evaluator.update(
                some,
                [
                    {
                        "boxes": np.array([one["bbox"] for one in mine], float).reshape(-1, 4),
                        "scores": np.array([one["score"] for one in mine], float),
                        "labels": np.array(
                            [truth.label_space.label_of_id[one["category_id"]] for one in mine], int
                        ),
                    }
                    for mine in found
                ],
                box_format="xywh",
            )

    return fed


@pytest.fixture(scope="session")
def assert_same_curves() -> Callable[[Curves, COCOeval], None]:
    """Fails unless precision, scores and recall agree with pycocotools' in every bit."""

    def compared(curves: Curves, run: COCOeval) -> None:
        for ours, theirs in (
            (curves.precision, run.eval["precision"]),
            (curves.scores, run.eval["scores"]),
            (curves.recall, run.eval["recall"]),
        ):
            assert (
                np.moveaxis(ours, (0, 1), (-1, -2)).tobytes()
                == np.ascontiguousarray(theirs).tobytes()
            )

    return compared


def _perfect(street: Dataset, **changes: object) -> Predictions:
    """Predictions of a model that is always right."""
    truth = street.truth
    corners = truth.xywh.copy()
    corners[:, 2:] += corners[:, :2]
    columns = {
        "image_ids": truth.image_ids,
        "files": np.array([record.path.name for record in street.images]),
        "sizes": np.array([[record.height, record.width] for record in street.images], np.int32),
        "starts": truth.starts,
        "boxes": corners.astype(np.float32),
        "scores": np.full(len(corners), 0.9, np.float32),
        "labels": truth.labels,
        "names": street.label_space.names,
        "provenance": {"model": "oracle", "protocol": "uniform", "protocol_settings": "{}"},
    }
    return Predictions(**columns | changes)  # type: ignore[arg-type]


@pytest.fixture
def perfect() -> Callable[..., Predictions]:
    """(data set, changed columns) -> predictions of a model that is always right."""
    return _perfect


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
        [number * 7 for number in range(12)],
        boxes,
        label_space=LabelSpace.custom(("cat", "dog", "bird")),
        name="made.json",
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


@pytest.fixture
def looked() -> Iterator[list[int]]:
    """How many images every forward pass of a whole detector had, while the test runs."""
    counts: list[int] = []

    def count(module: torch.nn.Module, arguments: Any, _: Any) -> None:
        if isinstance(module, zoo.Detector):
            counts.append(len(arguments[0]))

    hook = register_module_forward_hook(count)
    yield counts
    hook.remove()
