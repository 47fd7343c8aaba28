"""A plot of a benchmark: images per second of each row, and the parts of an image's time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import DataError
from zoo.extras import optional
from zoo.files import atomic_write, write_errors
from zoo.timing.result import PARTS, Benchmark, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DPI = 150
INK, PALE, GRID = "#222222", "#777777", "#e4e4e4"
COLORS = {
    "read": "#bdbdbd",
    "preprocess": "#92c5de",
    "network": "#2166ac",
    "postprocess": "#d6604d",
}
ROW, MARGIN, WIDTH, WIDEST_NAME = 0.42, 1.9, 10.0, 44


def save(benchmark: Benchmark, path: Path) -> None:
    """Draws it as a PNG; see `Benchmark.plot`."""
    optional("matplotlib", wanted_for="Plots", extra="plots")
    from matplotlib.figure import Figure

    rows = benchmark.rows
    height = MARGIN + ROW * len(rows)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.suptitle(
        f"{benchmark.hardware.get('processor', '')}\n{benchmark.images}, {benchmark.rounds} rounds",
        fontsize=9,
        color=PALE,
    )
    left, right = figure.subplots(1, 2, sharey=True)
    positions = range(len(rows))
    left.barh(positions, [row.images_per_s for row in rows], color=COLORS["network"], height=0.62)
    for position, row in zip(positions, rows, strict=True):
        left.text(row.images_per_s, position, f" {row.images_per_s:.1f}", va="center", fontsize=8)
    left.set_yticks(positions, [_name(row) for row in rows], fontsize=8)
    left.set_title("images a second", fontsize=10)
    left.margins(x=0.15)
    left.invert_yaxis()
    _stack_parts(right, rows)
    right.set_title("milliseconds an image", fontsize=10)
    for axes in (left, right):
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(colors=PALE, labelcolor=INK)
    case = f"The plot can't be written to {path}."
    with (
        write_errors(path, DataError, fix="Name a file that can be written.", failure=case),
        atomic_write(path, durable=False) as draft,
    ):
        figure.savefig(draft, dpi=DPI, format="png")


def _stack_parts(axes: Axes, rows: tuple[Row, ...]) -> None:
    """Draws a bar per row, stacked from the parts of an image's time."""
    starts = [0.0] * len(rows)
    for part in PARTS:
        values = [getattr(row, f"{part}_ms") or 0.0 for row in rows]
        axes.barh(
            range(len(rows)), values, left=starts, height=0.62, color=COLORS[part], label=part
        )
        starts = [start + value for start, value in zip(starts, values, strict=True)]
    axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=4)


def _name(row: Row) -> str:
    threads = f", {row.threads} threads" if row.threads else ""
    return f"{row.model:.{WIDEST_NAME}}\n{row.engine}{threads}, batch {row.batch}"
