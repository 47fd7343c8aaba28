"""Static plots of a report, drawn with matplotlib: curves, classes, mistakes, reliability and
confusion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import DataError
from zoo.evaluate.plots.classes import classes
from zoo.evaluate.plots.confusion import confusion
from zoo.evaluate.plots.curves import curves
from zoo.evaluate.plots.fonts import FontWarning as FontWarning
from zoo.evaluate.plots.fonts import fonts_for
from zoo.evaluate.plots.mistakes import mistakes
from zoo.evaluate.plots.reliability import reliability
from zoo.extras import optional
from zoo.files import atomic_write, write_errors

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


def save(report: Report, folder: str | Path, *, font: str | Path | None = None) -> list[Path]:
    """Draws every figure that the report has numbers for, each as NAME.png in the folder.

    font: a font file for names; letters that it or matplotlib's own lacks are taken from fonts of
        the system. What no font has is told by one `FontWarning`.
    Raises: MissingExtra where matplotlib is not installed. UsageError where the font is none.
        DataError where the folder is none, or can't be written.
    """
    optional("matplotlib", wanted_for="Plots", extra="plots")
    folder = Path(folder)
    failure = f"Plots can't be written to {folder}."
    if folder.is_file():
        raise DataError(failure, "It is a file, and plots are several.", "Name a folder.")
    names = [*report.per_class, report.measured.data, (report.provenance or {}).get("model", "")]
    with (
        write_errors(folder, DataError, fix="Name a folder that can be written.", failure=failure),
        fonts_for(names, font),
    ):
        figures = {
            folder / f"{name}.png": figure
            for name, draw in FIGURES.items()
            if (figure := draw(report)) is not None
        }
        for path, figure in figures.items():
            with atomic_write(path, durable=False) as draft:
                figure.savefig(draft, dpi=DOTS, format="png")
    return list(figures)
