"""Precision against recall, mean over classes, at loose and strict overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.evaluate.plots.paper import BLUE, GREEN, INK, ORANGE, paper, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zoo.evaluate.report import Report

CURVES = {
    "AP50": ("IoU .50", GREEN),
    "AP75": ("IoU .75", ORANGE),
    "AP": ("mean of IoU .50 to .95", BLUE),
}


def curves(report: Report) -> Figure | None:
    """The curves of AP50, AP75 and AP; the area under each is the number after its name."""
    if not report.curves:
        return None
    figure = paper(report, "Precision and recall, mean over classes")
    axes = plain(figure.add_subplot())
    for name, (description, color) in CURVES.items():
        if name in report.curves and (number := report.numbers.get(name)) is not None:
            precision = report.curves[name]
            recall = np.linspace(0, 1, len(precision))
            label = f"{name} {100 * number:.1f}, {description}"
            axes.plot(
                recall, precision, color=color, linewidth=2, label=label, clip_on=False, zorder=3
            )
            axes.fill_between(recall, precision, color=color, alpha=0.06, linewidth=0)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    axes.legend(frameon=False, labelcolor=INK, fontsize=9, loc="upper right")
    return figure
