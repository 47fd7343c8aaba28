"""Shared style of all figures: paper, colors, and a title that says what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo.evaluate.report import Report

INK, PALE, GRID = "#222222", "#777777", "#e4e4e4"
BLUE, ORANGE, GREEN = (
    "#2166ac",
    "#d6604d",
    "#4d9221",
)  # told apart by people who see colors differently


def paper(report: Report, title: str, *, width: float = 7.0, height: float = 4.6) -> Figure:
    """An empty figure of that many inches, titled: what it shows, and under it the model and the
    data."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    model = (report.provenance or {}).get("model", "")
    about = f"{model} on {report.measured.data}" if model else report.measured.data
    figure.suptitle(f"{title}\n", x=0.012, ha="left", fontsize=12, fontweight="bold", color=INK)
    figure.text(
        0.012,
        1 - 0.36 / height,
        f"{about}, {report.measured.images:,} images",
        ha="left",
        va="top",
        fontsize=9,
        color=PALE,
    )
    return figure


def plain(axes: Axes, *, grid: str = "both") -> Axes:
    """Axes without a box around them, with a pale grid along `both`, `x` or `y`."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(PALE)
    axes.tick_params(colors=PALE, labelcolor=INK, labelsize=9)
    axes.grid(axis=grid, color=GRID, linewidth=0.8)  # type: ignore[arg-type]  # one of matplotlib's three words
    axes.set_axisbelow(True)
    return axes
