"""Static plots of a report, drawn with matplotlib: curves, classes, mistakes, reliability and confusion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zoo.evaluate.plots.classes import classes
from zoo.evaluate.plots.confusion import confusion
from zoo.evaluate.plots.curves import curves
from zoo.evaluate.plots.mistakes import mistakes
from zoo.evaluate.plots.reliability import reliability
from zoo.extras import optional

if TYPE_CHECKING:
    from zoo.evaluate.report import Report

FIGURES = {
    "curves": curves,
    "classes": classes,
    "mistakes": mistakes,
    "reliability": reliability,
    "confusion": confusion,
}
DOTS = 150  # an inch


def save(report: Report, folder: str | Path) -> list[Path]:
    """Draws every figure that the report has numbers for, each as NAME.png in the folder.

    Raises: MissingExtra where matplotlib is not installed.
    """
    optional("matplotlib", wanted_for="Plots", extra="plots")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    saved = []
    for name, draw in FIGURES.items():
        figure = draw(report)
        if figure is not None:
            saved.append(folder / f"{name}.png")
            figure.savefig(saved[-1], dpi=DOTS)
    return saved
