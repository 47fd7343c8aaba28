"""Finds the images on which models disagree most, with the true boxes and those of each model."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from zoo.data.image_records import ImageRecord
from zoo.errors import DataError, ImageError
from zoo.evaluate import GroundTruth
from zoo.evaluate.coco.iou import paired_iou

if TYPE_CHECKING:
    from zoo.images import Exif

SIDE = 480  # pixels of the longer side on the page
QUALITY = 70
IOU = 0.5


@dataclass(frozen=True)
class ShownBox:
    """A box as shares of the image's sides: left, top, width, height. score: None for a true one.

    hit: of a detection, whether it finds a box; of a true one, whether any model finds it.
    """

    box: tuple[float, float, float, float]
    label: str
    score: float | None
    hit: bool


@dataclass(frozen=True)
class ShownDetections:
    """The boxes of one model in an image, at its best threshold over all images. f1: of these boxes
    at IoU .5."""

    name: str
    f1: float
    boxes: tuple[ShownBox, ...]


@dataclass(frozen=True)
class ShownImage:
    """One image of the page. jpeg: a small JPEG as a data URL. spread: how far the F1 of best and
    worst model are apart."""

    image: str
    width: int
    height: int
    jpeg: str
    spread: float
    truth: tuple[ShownBox, ...]
    models: tuple[ShownDetections, ...]


@dataclass(frozen=True, eq=False)
class ModelDetections:
    """The detections of one model in every image, in the order of the ground truth.

    images: mappings with boxes (n, 4) xyxy, scores (n,), labels (n,) in the ground truth's label
        space.
    threshold: detections below it are not looked at.
    """

    name: str
    images: Sequence[Mapping[str, NDArray[Any]]]
    threshold: float


def disagreements(
    truth: GroundTruth,
    records: Sequence[ImageRecord],
    models: Sequence[ModelDetections],
    *,
    most: int,
    exif: Exif = "apply",
) -> list[ShownImage]:
    """The images on which F1 differs most between models, the widest spread first.

    The list is empty for a single model. An image that can't be read, is too large, or lies
    outside of its data set's folder is left out.
    """
    if most <= 0 or len(models) < 2:
        return []
    shares = np.array(
        [[_f1(*_hits(truth, row, model)) for row in range(len(truth))] for model in models]
    )  # (models, images)
    spread = shares.max(0) - shares.min(0)
    order = np.argsort(-spread, kind="stable")[:most]
    shown = (
        _show_image(truth, int(row), _read(records[row], exif), models, shares[:, row])
        for row in order
        if spread[row] > 0
    )
    return [image for image in shown if image is not None]


def _read(record: ImageRecord, exif: Exif) -> Image.Image | None:
    """None if the image is missing or unreadable; the rest of the page does not depend on it."""
    from zoo.images import read  # deferred: it brings torch, which checking entries does without

    try:
        pixels = read(record.source(), exif=exif).pixels
    except (DataError, ImageError):
        return None
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


def _show_image(
    truth: GroundTruth,
    row: int,
    image: Image.Image | None,
    measured: Sequence[ModelDetections],
    shares: NDArray[np.float64],
) -> ShownImage | None:
    if image is None:
        return None
    size = image.size
    hits = [_hits(truth, row, model) for model in measured]
    models = tuple(
        ShownDetections(
            model.name, float(share), tuple(_detection_boxes(model, row, right, truth, size))
        )
        for model, (right, _), share in zip(measured, hits, shares, strict=True)
    )
    boxes = slice(truth.starts[row], truth.starts[row + 1])
    matched = np.any([found_boxes for _, found_boxes in hits], axis=0)
    true = tuple(
        ShownBox(_part(xywh, size), truth.label_space.names[label], None, bool(hit))
        for xywh, label, hit in zip(
            truth.xywh[boxes].tolist(), truth.labels[boxes].tolist(), matched, strict=True
        )
    )
    spread = float(shares.max() - shares.min())
    return ShownImage(str(truth.image_ids[row]), *size, _data_url(image), spread, true, models)


def _detection_boxes(
    model: ModelDetections,
    row: int,
    right: NDArray[np.bool_],
    truth: GroundTruth,
    size: tuple[int, int],
) -> Iterator[ShownBox]:
    xywh, scores, labels = _above_threshold(model, row)
    for box, score, label, hit in zip(
        xywh.tolist(), scores.tolist(), labels.tolist(), right.tolist(), strict=True
    ):
        yield ShownBox(_part(box, size), truth.label_space.names[label], round(score, 3), hit)


def _above_threshold(
    model: ModelDetections, row: int
) -> tuple[NDArray[np.float64], NDArray[Any], NDArray[Any]]:
    """Boxes (n, 4) xywh, scores and labels above the threshold, best first."""
    columns = {name: np.asarray(model.images[row][name]) for name in ("boxes", "scores", "labels")}
    order = np.argsort(-columns["scores"], kind="stable")
    order = order[columns["scores"][order] >= model.threshold]
    xywh = columns["boxes"].astype(np.float64).reshape(-1, 4)[order]
    xywh[:, 2:] -= xywh[:, :2]
    return xywh, columns["scores"][order], columns["labels"][order]


def _hits(
    truth: GroundTruth, row: int, model: ModelDetections
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(n,) which detections find a box of their class, best first, each box once; (g,) which boxes
    are found."""
    xywh, _, labels = _above_threshold(model, row)
    boxes = slice(truth.starts[row], truth.starts[row + 1])
    right, matched = (
        np.zeros(len(xywh), bool),
        np.zeros(truth.starts[row + 1] - truth.starts[row], bool),
    )
    if not len(xywh) or not len(matched):
        return right, matched
    pairs = np.repeat(xywh, len(matched), axis=0), np.tile(truth.xywh[boxes], (len(xywh), 1))
    ious = paired_iou(*pairs, np.tile(truth.crowd[boxes], len(xywh))).reshape(
        len(xywh), -1
    )  # (n, g)
    ious[labels[:, None] != truth.labels[boxes][None]] = 0
    for place, row_of_ious in enumerate(ious):
        free = np.where(matched, 0, row_of_ious)
        best = int(free.argmax())
        if free[best] >= IOU:
            right[place] = matched[best] = True
    return right, matched


def _f1(right: NDArray[np.bool_], matched: NDArray[np.bool_]) -> float:
    """F1 of one image; 1 if there is neither a box nor a detection."""
    total = len(right) + len(matched)
    return 2 * float(right.sum()) / total if total else 1.0


def _part(xywh: Sequence[float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    width, height = size
    left, top = max(xywh[0], 0.0), max(xywh[1], 0.0)
    right, bottom = min(xywh[0] + xywh[2], width), min(xywh[1] + xywh[3], height)
    parts = left / width, top / height, max(right - left, 0) / width, max(bottom - top, 0) / height
    return round(parts[0], 4), round(parts[1], 4), round(parts[2], 4), round(parts[3], 4)


def _data_url(image: Image.Image) -> str:
    small = image.copy()
    small.thumbnail((SIDE, SIDE))
    held = io.BytesIO()
    small.save(held, "JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(held.getvalue()).decode()
