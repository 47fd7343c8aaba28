"""COCO results: a flat list of dicts with the data set's own category ids and `x y width height`,
as pycocotools loads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, TypedDict

import msgspec
import torch
from torch import Tensor

from zoo.boxes import xywh_to_xyxy, xyxy_to_xywh
from zoo.detections.check import whole_number
from zoo.errors import LabelError
from zoo.labels import LabelSpace, match_labels
from zoo.text import type_name

if TYPE_CHECKING:
    from zoo.detections.detections import Detections


class CocoResult(TypedDict):
    """One detection; `bbox` is `[x, y, width, height]` in pixels."""

    image_id: int
    category_id: int
    bbox: list[float]
    score: float


class _Result(msgspec.Struct, frozen=True):
    category_id: int
    bbox: tuple[float, float, float, float]
    score: float
    image_id: int | None = None


def write(
    detections: Detections, image_id: int, label_space: LabelSpace | None = None
) -> list[CocoResult]:
    """The results of one image, best first; widths are taken in float64, so that reading them
    gives the same boxes again.

    label_space: whose category ids are written, where classes meet by name; else the detections'
        own.
    """
    rows = zip(
        xyxy_to_xywh(detections.boxes.double()).tolist(),
        detections.scores.tolist(),
        detections.labels.tolist(),
        strict=True,
    )
    ids = (
        dict(enumerate(detections.label_space.ids))
        if label_space is None
        else met_ids(detections.label_space, label_space)
    )
    image = whole_number(
        image_id,
        to="to_coco()",
        rule="an image id is a whole number, as in the data set's annotations",
    )
    return [
        {"image_id": image, "category_id": ids[label], "bbox": box, "score": score}
        for box, score, label in rows
        if label in ids
    ]


@lru_cache(maxsize=8)
def met_ids(model: LabelSpace, data: LabelSpace) -> Mapping[int, int]:
    """The data set's category id of every label of the model that the data set has, by name."""
    return {ours: data.ids[theirs] for ours, theirs in match_labels(model, data).pairs}


def read(
    results: Iterable[Mapping[str, object]], label_space: LabelSpace
) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes, scores and labels of one image's results.

    Raises: ValueError for entries that are not COCO results or belong to several images;
        LabelError for a category id that the
    space does not have.
    """
    if isinstance(results, Mapping | str) or not isinstance(results, Iterable):
        raise ValueError(
            f"these are not COCO results, which are a list of dicts: this is {type_name(results)}"
        )
    try:
        rows = msgspec.convert(list(results), list[_Result])
    except msgspec.ValidationError as error:
        raise ValueError(f"these are not COCO results: {error}") from None
    images = {row.image_id for row in rows}
    if len(images) > 1:
        raise ValueError(
            f"these are the results of {len(images)} images; pass those of one image_id"
        )
    boxes = torch.tensor([row.bbox for row in rows], dtype=torch.float64).reshape(-1, 4)
    labels = torch.tensor([_label(row.category_id, label_space) for row in rows], dtype=torch.int64)
    return xywh_to_xyxy(boxes), torch.tensor([row.score for row in rows]), labels


def _label(category_id: int, label_space: LabelSpace) -> int:
    try:
        return label_space.label_of_id[category_id]
    except KeyError:
        raise LabelError(
            f"COCO results can't be read in the label space '{label_space.title}'.",
            f"Category id {category_id} is none of its ids, which go from {min(label_space.ids)} "
            f"to {max(label_space.ids)}.",
            "Pass the label space of the data set that the results were made for; "
            "zoo.labels.names() lists those with a name.",
        ) from None
