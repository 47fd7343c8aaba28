"""Scores against precision, and how many detections have them."""

import pytest

from tests.evaluate.plots.reported import report, with_counts
from zoo.evaluate.plots.reliability import reliability


def test_a_bar_is_the_precision_of_its_scores() -> None:
    made = report()
    figure = reliability(made)
    assert made.analyses is not None
    assert made.analyses.calibration is not None
    assert figure is not None
    above, below = figure.axes
    bins = made.analyses.calibration.bins
    heights = [patch.get_height() for patch in above.patches]
    assert heights == pytest.approx([one.precision or 0 for one in bins])
    assert [patch.get_height() for patch in below.patches] == [one.count for one in bins]
    assert f"D-ECE {made.analyses.calibration.d_ece:.3f}" in figure.get_suptitle()


@pytest.mark.parametrize(("most", "label"), [(4, "2"), (300, "100"), (2_000_000, "1,000,000")])
def test_counts_are_plain_numbers(most: int, label: str) -> None:
    figure = reliability(with_counts(most))
    assert figure is not None
    figure.draw_without_rendering()
    axis = figure.axes[1].yaxis
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    assert label in {tick.label1.get_text() for tick in ticks}


def test_without_detections_there_is_no_reliability() -> None:
    assert reliability(report(found=False)) is None
