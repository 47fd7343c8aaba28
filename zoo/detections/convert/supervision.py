"""Detections as `supervision.Detections`, for its annotators, zones and trackers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.detections.columns import Floats, Labels, Rows
from zoo.extras import optional
from zoo.text import type_name

if TYPE_CHECKING:
    import supervision

    from zoo.detections.detections import Detections


def write(detections: Detections) -> supervision.Detections:
    """Boxes, confidences, labels as class ids, and `data["class_name"]`, which its label annotator
    prints.

    The arrays are copies: trackers and annotators write into them, and the detections stay as they
    are.
    Raises: MissingExtra where supervision is not installed.
    """
    sv = optional("supervision", wanted_for="Detections.to_supervision()")
    converted: supervision.Detections = sv.Detections(
        xyxy=detections.boxes.cpu().numpy().copy(),
        confidence=detections.scores.cpu().numpy().copy(),
        class_id=detections.labels.cpu().numpy().copy(),
        data={"class_name": np.array(detections.class_names, dtype=object)},
    )
    return converted


def read(theirs: supervision.Detections) -> tuple[Rows, Floats, Labels]:
    """Boxes, scores and labels; class names count more than class ids, which are whatever their
    maker said.

    Raises: TypeError for something else; ValueError where there are neither confidences nor
        classes.
    """
    if not hasattr(theirs, "confidence"):
        raise TypeError(
            f"from_supervision() takes supervision.Detections, and was given {type_name(theirs)}"
        )
    labels = theirs.data.get("class_name", theirs.class_id)
    if theirs.confidence is None or labels is None:
        raise ValueError(
            "supervision.Detections need confidence, and class_id or data['class_name'], to "
            "become the zoo's"
        )
    return theirs.xyxy, theirs.confidence, labels
