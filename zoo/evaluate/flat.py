"""Detections of many pictures as flat arrays, from whatever a detector hands over."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.ground_truth import MOST, BoxFormat
from zoo.data.ragged import starts_of
from zoo.errors import DataError
from zoo.labels import LabelSpace, meet


@dataclass(frozen=True, eq=False)
class Flat:
    """Detections of some pictures, one picture after another, in the order the detector gave them.

    starts: (m + 1,) int64, the first detection of each picture, and the end.
    boxes:  (n, 4) float32 or float64, in the detector's format.
    scores: (n,)   float32 or float64, finite.
    labels: (n,)   int64, positions in the data set's label space.
    unmet:  class name -> detections left out because the data set has no such class.
    """

    starts: NDArray[np.int64]
    boxes: NDArray[Any]
    scores: NDArray[Any]
    labels: NDArray[np.int64]
    unmet: Mapping[str, int]
    box_format: BoxFormat

    def xywh(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Some boxes as x, y, width, height: widths are subtracted in the boxes' own precision, then widened, as in `to_coco`."""
        boxes = self.boxes[rows]
        if self.box_format == "xyxy":
            boxes[:, 2:] -= boxes[:, :2]
        return boxes.astype(np.float64)


def flatten(
    detections: Sequence[object] | Mapping[str, Any], *, image_ids: Sequence[Any], space: LabelSpace, box_format: BoxFormat
) -> Flat:
    """Flat arrays of per-picture detections or of a padded batch.

    detections: a list, one item a picture: `zoo.Detections`, or a mapping with `boxes`, `scores`, `labels`, arrays or tensors on
                any device; or one mapping of padded ones (b, n, 4), (b, n), (b, n) with `counts` (b,), how many are real.
    Raises: DataError naming the picture.
    """
    listed = _unpadded(detections) if isinstance(detections, Mapping) else detections
    if len(listed) != len(image_ids):
        raise DataError(
            f"Detections of {len(image_ids)} images were handed over.",
            f"There are {len(listed)} items of detections.",
            "Pass one item a picture; a picture in which nothing was found has an empty one.",
        )
    columns = [_columns_of(one) for one in listed]
    shapes = [(boxes.shape, scores.shape, labels.shape) for boxes, scores, labels in columns]
    counts = [scores[0] if len(scores) == 1 else -1 for _, scores, _ in shapes]
    for row, ((boxes, _, labels), count) in enumerate(zip(shapes, counts, strict=True)):
        if count < 0 or labels != (count,) or (boxes != (count, 4) and count):
            what = f"Boxes, scores and labels have the shapes {', '.join(str(tuple(shape)) for shape in shapes[row])}."
            raise _refused(image_ids[row], what, "Give every detection a box of four numbers, a score and a label.")
    full = [one for one, count in zip(columns, counts, strict=True) if count]
    boxes, scores, labels = (_joined([one[column] for one in full]) for column in range(3))
    starts = starts_of(np.array(counts, np.int64))
    boxes, scores, labels = _floats(boxes).reshape(-1, 4), _floats(scores), labels.astype(np.int64, copy=False)
    _check(starts, boxes, scores, image_ids)
    spaces = [getattr(one, "space", space) for one in listed]
    _check_labels(starts, labels, spaces, image_ids)
    labels, unmet = _in_space(starts, labels, spaces, space)
    flat = Flat(starts, boxes, scores, labels, unmet, box_format)
    return _without(flat, labels < 0) if unmet else flat


def _columns_of(one: Any) -> tuple[Any, Any, Any]:
    if isinstance(one, Mapping):
        boxes, scores, labels = one["boxes"], one["scores"], one["labels"]
    else:
        boxes, scores, labels = one.boxes, one.scores, one.labels
    if hasattr(boxes, "shape") and hasattr(scores, "shape") and hasattr(labels, "shape"):
        return boxes, scores, labels
    return np.asarray(boxes), np.asarray(scores), np.asarray(labels)


def _unpadded(batch: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "counts" not in batch:
        raise DataError(
            "A padded batch of detections was handed over.",
            "It does not say how many of its rows are real.",
            "Add `counts`, one number a picture, or pass a list with one item a picture.",
        )
    return [
        {column: batch[column][row][: int(count)] for column in ("boxes", "scores", "labels")}
        for row, count in enumerate(batch["counts"])
    ]


def _joined(parts: list[Any]) -> NDArray[Any]:
    """One array of many; tensors are joined where they are, so that a GPU's travel once."""
    if not parts:
        return np.zeros(0, np.float32)
    if not all(kind.__module__.startswith("torch") for kind in {type(part) for part in parts}):
        return np.concatenate([np.asarray(part) for part in parts])
    torch = sys.modules["torch"]  # whoever made the tensors has imported it
    whole = torch.cat(parts).detach()
    if whole.dtype in (torch.bfloat16, torch.float16):
        whole = whole.float()
    joined: NDArray[Any] = whole.cpu().numpy()
    return joined


def _floats(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype in (np.float32, np.float64):
        return values
    return values.astype(np.float32 if values.dtype == np.float16 else np.float64)


def _in_space(
    starts: NDArray[np.int64], labels: NDArray[np.int64], spaces: Sequence[LabelSpace], space: LabelSpace
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Labels as positions in `space`, by class name where they point elsewhere; -1 for a class it lacks, and how many of each."""
    foreign = {id(theirs): theirs for theirs in spaces if theirs.names != space.names}
    if not foreign:
        return labels, {}
    place = {
        key: np.array([meet(theirs, space).data_label.get(own, -1) for own in range(len(theirs))])
        for key, theirs in foreign.items()
    }
    mapped = labels.copy()
    unmet: Counter[str] = Counter()
    for row, theirs in enumerate(spaces):
        if id(theirs) in foreign:
            part = slice(starts[row], starts[row + 1])
            mapped[part] = place[id(theirs)][labels[part]]
            unmet.update(theirs.names[own] for own in labels[part][mapped[part] < 0])
    return mapped, dict(unmet)


def _without(flat: Flat, out: NDArray[np.bool_]) -> Flat:
    kept = ~out
    before = starts_of(kept.astype(np.int64))
    return replace(flat, starts=before[flat.starts], boxes=flat.boxes[kept], scores=flat.scores[kept], labels=flat.labels[kept])


def _check(starts: NDArray[np.int64], boxes: NDArray[Any], scores: NDArray[Any], image_ids: Sequence[Any]) -> None:
    if not np.isfinite(scores).all():
        row = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise _refused(
            _image_of(row, starts, image_ids),
            f"A score is {scores[row]}.",
            "Find out where the model makes it; scores are finite.",
        )
    if not (np.abs(boxes) <= MOST).all():
        row = int(np.flatnonzero(~(np.abs(boxes) <= MOST).all(1))[0])
        raise _refused(
            _image_of(row, starts, image_ids), f"A box is {boxes[row].tolist()}.", "Find out where the model makes it."
        )


def _check_labels(
    starts: NDArray[np.int64], labels: NDArray[np.int64], spaces: Sequence[LabelSpace], image_ids: Sequence[Any]
) -> None:
    sizes = {id(space): len(space) for space in spaces}
    least = min(sizes.values(), default=0)
    if not len(labels) or (labels.min() >= 0 and labels.max() < least):
        return
    size = np.repeat([sizes[id(space)] for space in spaces], np.diff(starts))
    for row in np.flatnonzero((labels < 0) | (labels >= size))[:1]:
        what = f"A label is {labels[row]}; there are {size[row]} classes, 0 to {size[row] - 1}."
        raise _refused(_image_of(row, starts, image_ids), what, "Pass positions in the label space, not category ids.")


def _image_of(row: int, starts: NDArray[np.int64], image_ids: Sequence[Any]) -> Any:
    return image_ids[int(np.searchsorted(starts, row, side="right")) - 1]


def _refused(image_id: Any, case: str, fix: str) -> DataError:
    return DataError(f"Detections of image {image_id!r} were handed over.", case, fix)
