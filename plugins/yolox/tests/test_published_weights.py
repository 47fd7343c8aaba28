"""YOLOX-Nano with the published weights says what its ONNX file says, and scores what it scores."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import torch
from detzoo_yolox.detector import YOLOX
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor

from zoo.boxes import xyxy_to_xywh
from zoo.detections import Detections
from zoo.detectors import Batch, Protocol, Target

Images = Callable[[int], list[Tensor]]


def detect(model: YOLOX, images: list[Tensor], *, batch_size: int = 16) -> list[Detections]:
    found: list[Detections] = []
    for start in range(0, len(images), batch_size):
        batch = model.preprocess(images[start : start + batch_size])
        with torch.inference_mode():
            found += model.decode(
                model(batch), batch, Protocol(score=0.01, iou=0.65, max_boxes=100)
            )
    return found


def onnx_output(file: Path, pixels: Tensor) -> Tensor:
    """The ONNX file's output, its graph run as it is written: fused operators round differently, by
    up to 4e-4."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(file), options)
    outputs = [session.run(None, {"images": one[None].contiguous().numpy()})[0] for one in pixels]
    return torch.cat([torch.from_numpy(one) for one in outputs])


def test_raw_output_equals_the_onnx_files(
    published_nano: YOLOX, images: Images, shared: Path
) -> None:
    batch = published_nano.preprocess(images(3))
    expected = onnx_output(shared / "yolox_nano" / "yolox_nano.onnx", batch.pixels)
    exact = copy.deepcopy(published_nano).double()
    with torch.inference_mode():
        single = published_nano(batch).values
        double = exact(
            Batch(batch.pixels.double(), batch.transforms)
        ).values  # without this network's own rounding
    assert tuple(expected.shape) == (3, 3549, 85)
    assert (double - expected).abs().max() <= 2e-4
    assert (single - double).abs().max() <= 2.5e-4
    assert (single - expected)[..., 4:].abs().max() <= 1e-4


def test_detections_are_those_of_the_reference(
    published_nano: YOLOX, images: Images, shared: Path, coco: dict[str, list[dict[str, Any]]]
) -> None:
    published = json.loads((shared / "coco_val2017_128" / "yolox_nano_detections.json").read_text())
    matched = total = 0
    for image, seen in zip(coco["images"], detect(published_nano, images(16)), strict=False):
        confident = [
            one for one in published if one["image_id"] == image["id"] and one["score"] >= 0.3
        ]
        total += len(confident)
        for one in confident:
            x, y, width, height = one["bbox"]
            edges = torch.tensor([x, y, x + width, y + height]).clamp(min=0)
            edges = torch.minimum(edges, torch.tensor([image["width"], image["height"]] * 2))
            near = (seen.boxes - edges).abs().amax(dim=1) < 0.02 * max(
                image["width"], image["height"]
            )
            same = torch.tensor(
                [seen.label_space.ids[label] == one["category_id"] for label in seen.labels]
            )
            matched += bool((near & same & ((seen.scores - one["score"]).abs() < 0.05)).any())
    assert total > 40
    assert matched >= 0.97 * total


def test_training_from_the_folded_file_keeps_what_it_finds(
    published_nano: YOLOX, images: Images
) -> None:
    some = images(2)
    before = [seen.above(0.5) for seen in published_nano.detect(some)]
    truth = [Target(boxes=seen.boxes, labels=seen.labels) for seen in before]
    optimizer = torch.optim.AdamW(published_nano.train().parameters(), lr=1e-4)
    history = []
    for _ in range(4):
        batch = published_nano.preprocess(some)
        losses = published_nano.loss(published_nano(batch, truth), batch, truth)
        loss = torch.stack([*losses.values()]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    after = published_nano.eval().detect(some, score=0.3)
    assert sum(map(len, before)) > 2
    assert history == sorted(history, reverse=True)
    for seen, again in zip(before, after, strict=True):
        assert set(seen.class_names) <= set(again.class_names)


@pytest.mark.slow
def test_average_precision_is_the_published_networks(
    published_nano: YOLOX, images: Images, shared: Path, coco: dict[str, list[dict[str, Any]]]
) -> None:
    results = [
        {
            "image_id": image["id"],
            "category_id": seen.label_space.ids[label],
            "bbox": box,
            "score": score,
        }
        for image, seen in zip(coco["images"], detect(published_nano, images(128)), strict=True)
        for box, score, label in zip(
            xyxy_to_xywh(seen.boxes).tolist(),
            seen.scores.tolist(),
            seen.labels.tolist(),
            strict=True,
        )
    ]
    truth = COCO(shared / "coco_val2017_128" / "instances.json")
    scored = COCOeval(truth, truth.loadRes(results), "bbox")
    scored.evaluate()
    scored.accumulate()
    scored.summarize()  # prints the twelve numbers
    expected = json.loads((shared / "coco_val2017_128" / "yolox_nano_expected.json").read_text())[
        "stats"
    ]
    assert scored.stats[0] == pytest.approx(0.336, abs=0.003)
    assert list(scored.stats) == pytest.approx(expected, abs=0.01)
