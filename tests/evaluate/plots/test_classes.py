"""AP of each class: a row per class with boxes, best last, and the mean."""

import pytest

from tests.evaluate.plots.reported import report
from zoo.evaluate.plots.classes import classes


def test_a_dot_at_the_end_of_an_axis_is_whole() -> None:
    """Some classes are never found and so lie at 0; what is drawn on an edge must not be cut
    there."""
    figure = classes(report(found=False))
    assert figure is not None
    [dots] = [
        one
        for one in figure.axes[0].collections
        if len(one.get_offsets()) == 3 and one.get_sizes().size
    ]
    assert not dots.get_clip_on()


def test_classes_stand_by_ap_with_their_boxes_and_the_mean() -> None:
    made = report()
    figure = classes(made)
    assert figure is not None
    axes = figure.axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    by_ap = sorted(made.per_class, key=lambda name: (made.per_class[name].ap or 0, name))
    assert names == [f"{name}  {made.per_class[name].boxes}" for name in by_ap]
    assert made.ap is not None
    [mean] = [text for text in axes.texts if "mean" in text.get_text()]
    assert mean.get_text().strip() == f"mean {100 * made.ap:.1f}"
    assert mean.get_position()[0] == pytest.approx(100 * made.ap)
