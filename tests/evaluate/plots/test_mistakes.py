"""Kinds of mistakes: a bar for each, with its cost and how often it occurs."""

import pytest

from tests.evaluate.plots.reported import report
from zoo.evaluate.analyses.tide import KINDS
from zoo.evaluate.plots.mistakes import mistakes


def test_every_kind_has_a_bar_the_costliest_on_top() -> None:
    made = report()
    figure = mistakes(made)
    assert made.analyses is not None
    assert figure is not None
    axes = figure.axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[:2] == ["every false negative", "every false positive"]
    assert set(names[2:]) == set(KINDS)
    costs = [patch.get_width() for patch in axes.patches]
    assert costs[2:] == sorted(costs[2:])
    kinds = made.analyses.mistakes.kinds
    assert costs[2:] == pytest.approx([100 * kinds[name].cost for name in names[2:]])
    notes = {text.get_text() for text in axes.texts}
    assert f"{kinds['missed'].count:,}×, a box that no detection finds" in notes


def test_a_report_without_analyses_has_no_mistakes() -> None:
    assert mistakes(report(analyses=False)) is None
