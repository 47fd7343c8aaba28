"""Detections as JSON: one object per image, with decimals that restore each float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias, TypedDict

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.errors import LabelError
from zoo.labels import LabelSpace

Columns: TypeAlias = tuple[Tensor, Tensor, Tensor]

if TYPE_CHECKING:
    from zoo.detections.detections import Detections


class JsonDetection(TypedDict):
    """One detection; `box` is `[x1, y1, x2, y2]` in pixels."""

    box: list[float]
    score: float
    label: int
    name: str


class JsonImage(TypedDict):
    """One image with its detections, best first; null is unknown."""

    file: str | None
    width: int | None
    height: int | None
    detections: list[JsonDetection]


class _Detection(msgspec.Struct, frozen=True):
    box: tuple[float, float, float, float]
    score: float
    label: int
    name: str


class _Image(msgspec.Struct, frozen=True):
    detections: list[_Detection]
    file: str | None = None
    width: int | None = None
    height: int | None = None


def write(detections: Detections) -> JsonImage:
    """A dict that `json.dump` takes."""
    height, width = detections.size or (None, None)
    corners = np.reshape(_shortest(detections.boxes), (-1, 4)).tolist()
    rows = zip(
        corners,
        _shortest(detections.scores).tolist(),
        detections.labels.tolist(),
        detections.class_names,
        strict=True,
    )
    records: list[JsonDetection] = [
        {"box": box, "score": score, "label": label, "name": name}
        for box, score, label, name in rows
    ]
    return {"file": detections.source, "width": width, "height": height, "detections": records}


def object_of(
    detections: Detections,
    *,
    model: str | None,
    weights_sha256: str | None,
    saved: str | None = None,
) -> dict[str, object]:
    """The `--json` record of one image; `saved` is where the annotated image is, with `--save`."""
    written = write(detections)
    head = {name: written[name] for name in ("file", "width", "height")}
    if saved is not None:
        head["saved"] = saved
    return {
        **head,
        "model": model,
        "weights_sha256": weights_sha256,
        "detections": written["detections"],
    }


def read(
    record: Mapping[str, object], label_space: LabelSpace
) -> tuple[Columns, tuple[int, int] | None, str | None]:
    """Columns, size and source of one image's record; fields that other tools add are passed
    over.

    Raises: ValueError for something else than such a record; LabelError where a label has another
        name in the space.
    """
    try:
        image = msgspec.convert(record, _Image)
    except msgspec.ValidationError as error:
        raise ValueError(f"this is not a record of detections: {error}") from None
    _check_names(image.detections, label_space)
    boxes = torch.tensor([entry.box for entry in image.detections]).reshape(-1, 4)
    scores = torch.tensor([entry.score for entry in image.detections])
    labels = torch.tensor([entry.label for entry in image.detections], dtype=torch.int64)
    size = None if image.height is None or image.width is None else (image.height, image.width)
    return (boxes, scores, labels), size, image.file


def _check_names(detections: list[_Detection], label_space: LabelSpace) -> None:
    for entry in detections:
        if (
            entry.label not in range(len(label_space))
            or label_space.names[entry.label] != entry.name
        ):
            raise LabelError(
                f"A record of detections can't be read in the label space '{label_space.title}'.",
                f"It calls label {entry.label} '{entry.name}', which is not so there.",
                "Pass the label space of the model that wrote the record.",
            )


def _shortest(values: Tensor) -> NDArray[np.float64]:
    """The shortest decimal of every float32, flat, as float64; the value itself where that would
    not come back the same."""
    exact = values.reshape(-1).cpu().numpy()
    short = np.array([float(str(value)) for value in exact], dtype=np.float64)
    return np.where(short.astype(np.float32) == exact, short, exact)
