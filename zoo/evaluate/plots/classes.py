"""AP of each class with its interval, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.evaluate.plots.paper import BLUE, INK, ORANGE, PALE, paper, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zoo.evaluate.report import ClassReport, Report

ROW = 0.19  # inches


def classes(report: Report) -> Figure | None:
    """A row per class with boxes; next to its name, their number. The line is their mean."""
    rows = [(name, entry) for name, entry in report.per_class.items() if entry.ap is not None]
    if not rows:
        return None
    rows.sort(key=lambda row: (row[1].ap or 0, row[0]))
    figure = paper(report, "AP by class, with 95 % intervals", height=1.6 + ROW * len(rows))
    axes = plain(figure.add_subplot(), grid="x")
    places = range(len(rows))
    axes.hlines(places, *_ends(rows), color=BLUE, alpha=0.35, linewidth=4)
    axes.scatter(
        [100 * (entry.ap or 0) for _, entry in rows],
        places,
        color=BLUE,
        s=18,
        zorder=3,
        clip_on=False,
    )
    if report.ap is not None:
        axes.axvline(100 * report.ap, color=ORANGE, linewidth=1.2, zorder=1)
        axes.text(
            100 * report.ap,
            len(rows) - 0.3,
            f" mean {100 * report.ap:.1f}",
            color=ORANGE,
            fontsize=8,
            va="bottom",
        )
    axes.set_yticks(
        places, [f"{name}  {entry.boxes}" for name, entry in rows], fontsize=8, color=INK
    )
    axes.tick_params(axis="y", length=0, pad=7)  # clear of a dot at 0
    axes.spines["left"].set_visible(False)
    axes.set(
        xlim=(0, 100), ylim=(-0.8, len(rows) + 0.6), xlabel="AP, percent (after each name: boxes)"
    )
    axes.xaxis.label.set_color(PALE)
    return figure


def _ends(rows: list[tuple[str, ClassReport]]) -> tuple[list[float], list[float]]:
    """Left and right end of each interval, in percent and inside of 0 to 100; its point alone where
    a class has none."""
    spans = [
        (row.interval.low, row.interval.high) if row.interval else (row.ap or 0, row.ap or 0)
        for _, row in rows
    ]
    return [100 * max(low, 0) for low, _ in spans], [100 * min(high, 1) for _, high in spans]
