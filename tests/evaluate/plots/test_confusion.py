"""The confusion of classes: rows and columns are those that have something to show."""

import numpy as np

from tests.evaluate.plots.reported import report
from zoo.evaluate import Evaluator, GroundTruth
from zoo.evaluate.plots.confusion import MAX_CLASSES, confusion


def test_a_class_without_boxes_has_no_row_and_one_that_is_never_detected_no_column() -> None:
    """Of cat, dog and cow only cats are there, and dogs and cats are seen."""
    truth = GroundTruth.of(
        ["a"],
        {"image": ["a"], "label": [0], "box": [[0.0, 0, 9, 9]]},
        label_space=["cat", "dog", "cow"],
    )
    evaluator = Evaluator(truth)
    boxes = np.array([[0.0, 0, 9, 9], [50, 50, 60, 60]])
    evaluator.update(
        ["a"], [{"boxes": boxes, "scores": np.array([0.6, 0.9]), "labels": np.array([0, 1])}]
    )
    figure = confusion(evaluator.compute(resamples=0))
    assert figure is not None
    rows, columns = (
        [one.get_text() for one in some]
        for some in (figure.axes[0].get_yticklabels(), figure.axes[0].get_xticklabels())
    )
    assert rows == ["cat", "background"]
    assert columns == ["cat", "dog"]


def test_the_classes_confused_most_are_shown_and_the_title_says_so() -> None:
    figure = confusion(report(classes=MAX_CLASSES + 10))
    assert figure is not None
    assert len(figure.axes[0].get_yticklabels()) <= MAX_CLASSES + 1
    assert f"the {MAX_CLASSES} classes confused most" in figure.get_suptitle()
    few = confusion(report(classes=3))
    assert few is not None
    assert "confused most" not in few.get_suptitle()


def test_a_report_without_analyses_has_no_confusion() -> None:
    assert confusion(report(analyses=False)) is None
