"""The page with the truth: found, missed and false exactly as the analyses of a report count them,
worst images first."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zoo.data import Dataset, read
from zoo.errors import DataError, UsageError
from zoo.evaluate import EdgeCasePolicy, Evaluator, Predictions
from zoo.evaluate.analyses.matches import Matches
from zoo.evaluate.gallery import save

IMAGES = 12


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Images of noise with boxes that overlap, some around groups."""
    folder = tmp_path_factory.mktemp("crowd")
    rng = np.random.default_rng(3)
    boxes = []
    for number in range(IMAGES):
        pixels = rng.integers(0, 256, (60, 80, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        for _ in range(6):
            x, y = rng.uniform(0, 40, 2).tolist()
            box = [x, y, *rng.uniform(10, 30, 2).tolist()]
            boxes.append(
                {
                    "id": len(boxes) + 1,
                    "image_id": number,
                    "category_id": int(rng.integers(1, 3)),
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": int(rng.random() < 0.15),
                }
            )
    images = [
        {"id": number, "file_name": f"{number}.png", "width": 80, "height": 60}
        for number in range(IMAGES)
    ]
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    instances = {"images": images, "annotations": boxes, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(instances))
    return read(f"coco:{folder / 'instances.json'}")


@pytest.fixture(scope="module")
def predictions(crowd: Dataset) -> Predictions:
    """Noisy copies of the boxes, some of another class, in two thirds of the images."""
    rng = np.random.default_rng(4)
    rows = np.sort(rng.permutation(IMAGES)[: IMAGES * 2 // 3])
    parts = [crowd.truth.rows(row) for row in rows]
    boxes = [crowd.truth.boxes[part].repeat(2, 0) for part in parts]
    noisy = np.concatenate(boxes) + rng.normal(0, 2, (sum(map(len, boxes)), 4))
    noisy[:, 2:] = np.maximum(noisy[:, 2:], noisy[:, :2] + 1)
    labels = np.concatenate([crowd.truth.labels[part].repeat(2) for part in parts])
    labels = np.where(rng.random(len(labels)) < 0.2, 1 - labels, labels)
    return Predictions(
        image_ids=crowd.truth.image_ids[rows],
        files=np.array([f"{row}.png" for row in rows]),
        sizes=np.full((len(rows), 2), (60, 80), np.int32),
        starts=np.cumsum([0, *map(len, boxes)]).astype(np.int64),
        boxes=noisy.astype(np.float32),
        scores=rng.uniform(0.1, 1, len(labels)).astype(np.float32),
        labels=labels.astype(np.int32),
        names=("cat", "dog"),
        provenance={"model": "noisy"},
    )


def data_of(path: Path) -> dict[str, Any]:
    held = re.search(r'id="data">(.*?)</script>', path.read_text(), re.DOTALL)
    assert held
    return dict(json.loads(held[1]))


def outcomes(image: dict[str, Any], score: float) -> Counter[str]:
    """Found, missed and false alarms of an image, as the page's script counts them."""
    kept = [box for box in image["found"] if box[1] >= round(score * 10_000)]
    hits = {box[6] for box in kept if box[6] >= 0}
    missed = [at for at, box in enumerate(image["truth"]) if not box[5] and at not in hits]
    false = [box for box in kept if box[6] == -1]
    return Counter(found=len(hits), missed=len(missed), false=len(false))


def matches(crowd: Dataset, predictions: Predictions, score: float) -> Matches:
    """What an evaluator makes of the detections from a score on."""
    evaluator = Evaluator(crowd.truth, policy=EdgeCasePolicy(unseen_images="leave out"))
    for image_id, one in zip(predictions.image_ids.tolist(), predictions, strict=True):
        kept = one.scores >= score
        columns = {"boxes": one.boxes, "scores": one.scores, "labels": one.labels}
        evaluator.update([image_id], [{name: column[kept] for name, column in columns.items()}])
    return Matches.of(evaluator.matched_images())


@pytest.mark.parametrize("score", [0.0, 0.3, 0.62, 0.9])
def test_the_page_counts_what_the_report_counts_at_every_threshold(
    score: float, crowd: Dataset, predictions: Predictions, tmp_path: Path
) -> None:
    save(predictions, data=crowd, to=tmp_path / "a.html", progress=False)
    found = sum((outcomes(one, score) for one in data_of(tmp_path / "a.html")["images"]), Counter())
    expected = matches(crowd, predictions, score)
    assert found["found"] == expected.true.sum() > 0
    assert found["missed"] == expected.missed.sum()
    assert found["false"] == (expected.counted & ~expected.true).sum() > 0
    assert found["missed"] > 0 or score == 0


def test_the_worst_images_are_shown_and_how_they_were_chosen_is_said(
    crowd: Dataset, predictions: Predictions, tmp_path: Path
) -> None:
    for name, most in (("all", 50), ("few", 3)):
        save(predictions, data=crowd, to=tmp_path / f"{name}.html", most=most, score=0.5)
    whole, few = data_of(tmp_path / "all.html"), data_of(tmp_path / "few.html")
    mistakes = [
        counts["missed"] + counts["false"]
        for counts in (outcomes(one, 0.5) for one in whole["images"])
    ]
    assert mistakes == sorted(mistakes, reverse=True)
    assert [one["name"] for one in few["images"]] == [one["name"] for one in whole["images"]][:3]
    assert (whole["chosen"], few["total"]) == ("", 8)
    assert few["chosen"] == "those with most misses and false alarms at a score of 0.50 or more"


def test_the_page_begins_at_the_threshold_of_best_f1(
    crowd: Dataset, predictions: Predictions, tmp_path: Path
) -> None:
    evaluator = Evaluator(crowd.truth, policy=EdgeCasePolicy(unseen_images="leave out"))
    evaluator.update(predictions.image_ids.tolist(), list(predictions))
    save(predictions, data=crowd, to=tmp_path / "a.html", progress=False)
    data = data_of(tmp_path / "a.html")
    analyses = evaluator.compute(resamples=0).analyses
    assert analyses
    assert analyses.operating
    assert data["score"] == np.floor(100 * analyses.operating.score) / 100
    assert data["facts"][0] == ["model", "noisy"]
    assert dict(data["facts"])["data_sha256"] == crowd.sha256


def test_a_results_list_has_a_page_too(crowd: Dataset, tmp_path: Path) -> None:
    truth = crowd.truth
    rows = [
        {
            "image_id": image,
            "category_id": truth.label_space.ids[label] if truth.label_space.ids else label + 1,
            "bbox": box,
            "score": 0.5,
        }
        for image, label, box in zip(
            truth.image_ids[truth.images].tolist(),
            truth.labels.tolist(),
            truth.xywh.tolist(),
            strict=True,
        )
    ]
    (tmp_path / "right.json").write_text(json.dumps(rows))
    save(tmp_path / "right.json", data=crowd, to=tmp_path / "a.html", progress=False)
    data = data_of(tmp_path / "a.html")
    counts = sum((outcomes(one, 0.5) for one in data["images"]), Counter())
    assert counts["missed"] == 0
    assert counts["found"] == (~truth.crowd).sum()
    assert data["title"].startswith("right on ")


def test_an_image_that_is_gone_is_named(
    crowd: Dataset, predictions: Predictions, tmp_path: Path
) -> None:
    moved = crowd.images[int(predictions.image_ids[0])].path
    content = moved.read_bytes()
    moved.unlink()
    try:
        save(predictions, data=crowd, to=tmp_path / "a.html", progress=False)
    finally:
        moved.write_bytes(content)
    data = data_of(tmp_path / "a.html")
    assert [name for name, _ in data["unreadable"]] == [moved.name]
    assert len(data["images"]) == len(predictions) - 1


def test_what_can_not_be_shown_is_refused(crowd: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"does not end in \.html"):
        save("x.json", data=crowd, to=tmp_path / "a.json")
    with pytest.raises(DataError, match="neither predictions"):
        save("x.csv", data=crowd, to=tmp_path / "a.html")
    with pytest.raises(UsageError, match="1 to 2,000"):
        save("x.json", data=crowd, to=tmp_path / "a.html", most=0)
