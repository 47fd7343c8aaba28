"""Whether a model knows the classes of a data set."""

from __future__ import annotations

import numpy as np

from zoo.data import Dataset
from zoo.errors import LabelError
from zoo.labels import LabelSpace, match_labels


def check_classes(label_space: LabelSpace, dataset: Dataset, *, model: str) -> tuple[str, ...]:
    """The data set's classes that the model does not know, of those that have a box. Raises:
    LabelError where it knows none."""
    meeting = match_labels(label_space, dataset.label_space)
    if not meeting.pairs:
        raise LabelError(
            f"'{model}' can't be measured on {dataset.name}.",
            f"It knows none of the data set's classes ({', '.join(dataset.label_space.names[:5])} "
            f"…): its own are "
            f"{', '.join(label_space.names[:5])} ….",
            "Choose a model for these classes: zoo list",
        )
    boxes = np.bincount(dataset.truth.labels, minlength=len(dataset.label_space))
    return tuple(name for name in meeting.data_only if boxes[dataset.label_space.label(name)])
