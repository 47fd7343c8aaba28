"""Kinds of mistakes, and the AP that each costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.evaluate.analyses.tide import KINDS
from zoo.evaluate.plots.paper import BLUE, INK, ORANGE, PALE, paper, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo.evaluate.report import Report


def mistakes(report: Report) -> Figure | None:
    """A bar a kind, longest where fixing it would gain most; under it all that is false and all
    that is missed."""
    if report.analyses is None:
        return None
    mistakes = report.analyses.mistakes
    kinds = sorted(mistakes.kinds.items(), key=lambda pair: pair[1].cost)
    totals = {
        "every false negative": mistakes.false_negatives,
        "every false positive": mistakes.false_positives,
    }
    costs = [100 * cost for cost in totals.values()] + [100 * mistake.cost for _, mistake in kinds]
    places = [0.0, 1.0, *(row + 2.6 for row in range(len(kinds)))]
    figure = paper(report, "AP gained by fixing each kind of mistake", width=9.0, height=4.6)
    axes = plain(figure.add_subplot(), grid="x")
    axes.barh(places, costs, color=[ORANGE] * len(totals) + [BLUE] * len(kinds), height=0.62)
    notes = [""] * len(totals) + [
        f"{mistake.count:,}×, {KINDS[name].partition(',')[0]}" for name, mistake in kinds
    ]
    for place, cost, note in zip(places, costs, notes, strict=True):
        _note(axes, f"{cost:.1f}", (cost, place), points=5, weight="bold", color=INK)
        _note(axes, note, (cost, place), points=34, weight="normal", color=PALE)
    axes.set_yticks(places, [*totals, *(name for name, _ in kinds)], fontsize=9, color=INK)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set(xlim=(0, 1.15 * max(*costs, 1)), xlabel="gain in AP at IoU .5, percentage points")
    return figure


def _note(
    axes: Axes, text: str, at: tuple[float, float], *, points: int, weight: str, color: str
) -> None:
    """A text that many points to the right of a place."""
    axes.annotate(
        text,
        at,
        xytext=(points, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
        fontweight=weight,
        color=color,
    )
