"""Whether a model knows the classes of a data set."""

from __future__ import annotations

import numpy as np

from zoo.data import Dataset
from zoo.errors import LabelError
from zoo.labels import LabelSpace, match_labels


def missing_classes(label_space: LabelSpace, dataset: Dataset, *, model: str) -> tuple[str, ...]:
    """The classes that have a box in the data set and that the model does not know.

    Raises: LabelError if the model knows no class of the data set.
    """
    meeting = match_labels(label_space, dataset.label_space)
    if not meeting.pairs:
        theirs, ours = (", ".join(space.names[:5]) for space in (dataset.label_space, label_space))
        raise LabelError(
            f"'{model}' can't be measured on {dataset.name}.",
            f"It knows none of the data set's classes ({theirs} …): its own are {ours} ….",
            "Choose a model for these classes: zoo list",
        )
    boxes = np.bincount(dataset.truth.labels, minlength=len(dataset.label_space))
    return tuple(name for name in meeting.data_only if boxes[dataset.label_space.label(name)])
