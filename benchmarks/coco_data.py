"""Made-up data of the size of COCO val2017 or ten times as large: boxes, and detections near
them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

SIZES = {"val2017": (5_000, 35_942, 80), "large": (50_000, 595_000, 365)}  # images, boxes, classes


PER_IMAGE = 100


def make_data(to: Path, images: int, boxes: int, classes: int) -> None:
    """Writes boxes and detections: some near boxes, mostly of their class, the rest anywhere."""
    random = np.random.default_rng(0)
    counts = random.multinomial(boxes, random.dirichlet(np.full(images, 1.2)))
    image = np.repeat(np.arange(images), counts)
    popular = random.permutation(classes)
    share = 1 / (np.arange(classes) + 3.0)
    in_image = popular[
        random.choice(classes, (images, 3), p=share / share.sum())
    ]  # three classes an image
    label = in_image[image, random.integers(0, 3, boxes)]
    side, corner = _places(random, boxes)
    starts = np.concatenate([[0], np.cumsum(counts)])
    near = np.minimum((counts * 2.2).astype(int), PER_IMAGE)
    is_near = np.arange(PER_IMAGE) < near[:, None]  # (images, 100)
    source = np.minimum(
        starts[:-1, None] + (random.uniform(size=is_near.shape) * counts[:, None]).astype(int),
        boxes - 1,
    )
    shift = random.normal(0, 0.12, (*is_near.shape, 4)) * np.concatenate([side, side], 1)[source]
    beside = np.concatenate([corner, side], 1)[source] + shift
    far_side, far = _places(random, is_near.size)
    anywhere = np.concatenate([far, far_side], 1).reshape(*is_near.shape, 4)
    xywh = np.where(is_near[..., None], beside, anywhere)
    of_class = np.where(
        random.uniform(size=is_near.shape) < 0.8,
        label[source],
        random.integers(0, classes, is_near.shape),
    )
    labels = np.where(
        is_near, of_class, popular[random.choice(classes, is_near.shape, p=share / share.sum())]
    )
    scores = np.where(is_near, random.beta(3, 3, is_near.shape), random.beta(1, 8, is_near.shape))
    best_first = np.argsort(-scores, axis=1)
    corners = np.concatenate([xywh[..., :2], xywh[..., :2] + np.abs(xywh[..., 2:])], -1).astype(
        np.float32
    )
    np.savez(
        to,
        image=image,
        label=label,
        box=np.concatenate([corner, side], 1).round(2),
        area=side.prod(1) * random.uniform(0.4, 0.9, boxes),
        crowd=random.uniform(size=boxes) < 0.011,
        boxes=np.take_along_axis(corners, best_first[..., None], 1),
        scores=np.take_along_axis(scores, best_first, 1).astype(np.float32),
        labels=np.take_along_axis(labels, best_first, 1).astype(np.int64),
        classes=classes,
        images=images,
    )


def _places(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    side = np.exp(random.normal(4, 1, (count, 2))).clip(4, 500)
    return side, random.uniform(0, 1, (count, 2)) * (640 - side)


def instances(data: Any) -> dict[str, Any]:
    """The ground truth in COCO's format."""
    columns = (data[name].tolist() for name in ("image", "label", "box", "area", "crowd"))
    return {
        "images": [
            {"id": image, "width": 640, "height": 640} for image in range(int(data["images"]))
        ],
        "categories": [
            {"id": label, "name": f"class {label}"} for label in range(int(data["classes"]))
        ],
        "annotations": [
            {
                "id": number + 1,
                "image_id": image,
                "category_id": label,
                "bbox": box,
                "area": area,
                "iscrowd": int(crowd),
            }
            for number, (image, label, box, area, crowd) in enumerate(zip(*columns, strict=True))
        ],
    }


def as_array(found: list[dict[str, Any]], first: int, dtype: type) -> np.ndarray:
    """(N, 7) image, left, top, width, height, score, class."""
    import torch

    boxes = torch.cat([one["boxes"] for one in found]).numpy()
    array: np.ndarray = np.empty((len(boxes), 7), dtype)
    array[:, 0] = np.repeat(
        np.arange(first, first + len(found)), [len(one["scores"]) for one in found]
    )
    array[:, 1:3], array[:, 3:5] = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    array[:, 5] = torch.cat([one["scores"] for one in found]).numpy()
    array[:, 6] = torch.cat([one["labels"] for one in found]).numpy()
    return array
