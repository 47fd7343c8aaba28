"""Kinds of mistakes, and the AP that each costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.evaluate.plots.paper import BLUE, INK, ORANGE, PALE, paper, plain
from zoo.evaluate.tide import KINDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zoo.evaluate.report import Report


def mistakes(report: Report) -> Figure | None:
    """A bar a kind, longest where mending it would gain most; under it all that is false and all that is missed."""
    if report.analyses is None:
        return None
    found = report.analyses.mistakes
    kinds = sorted(found.kinds.items(), key=lambda pair: pair[1].cost)
    totals = {"every false negative": found.false_negatives, "every false positive": found.false_positives}
    costs = [100 * cost for cost in totals.values()] + [100 * one.cost for _, one in kinds]
    places = [0.0, 1.0, *(row + 2.6 for row in range(len(kinds)))]
    figure = paper(report, "What mending each kind of mistake would gain", height=4.8)
    axes = plain(figure.add_subplot(), grid="x")
    axes.barh(places, costs, color=[ORANGE] * len(totals) + [BLUE] * len(kinds), height=0.62)
    notes = [""] * len(totals) + [f"  {one.count:,}×, {KINDS[name]}" for name, one in kinds]
    for place, cost, note in zip(places, costs, notes, strict=True):
        axes.text(cost, place, f" {cost:.1f}", va="center", fontsize=9, fontweight="bold", color=INK)
        axes.text(cost + 0.055 * max(*costs, 1), place, note, va="center", fontsize=8, color=PALE)
    axes.set_yticks(places, [*totals, *(name for name, _ in kinds)], fontsize=9, color=INK)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set(xlim=(0, 1.25 * max(*costs, 1)), xlabel="gain in AP at IoU .5, percentage points")
    return figure
