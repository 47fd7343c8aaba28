"""Which class is taken for which, among the classes that are confused most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoo.evaluate.plots.paper import GRID, INK, paper, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo.evaluate.report import Report

MAX_CLASSES = 18  # classes; more can't be read
NOTHING = "background"


def confusion(report: Report) -> Figure | None:
    """Rows are true classes, columns what they were detected as; the shade is the share of the row,
    the number a count.

    A class that has no box has no row, and one that nothing was detected as has no column: nothing
    could stand there.
    """
    if report.analyses is None or report.analyses.confusion is None:
        return None
    confusion = report.analyses.confusion
    names = tuple(report.per_class)
    matrix = confusion.matrix(names)
    shown = _classes_to_show(matrix)
    rows, columns = (
        [place for place in shown if counts[place]] for counts in (matrix.sum(1), matrix.sum(0))
    )
    if not rows or not columns:
        return None
    part = matrix[np.ix_(rows, columns)]
    more = len(names) - len(shown) + 1
    title = f"Confusion at score {confusion.score:.2f}" + (
        f", the {MAX_CLASSES} classes confused most" if more > 0 else ""
    )
    width, height = (2.6 + 0.36 * len(some) for some in (columns, rows))
    figure = paper(report, title, width=max(width + 0.6, 6.0), height=max(height, 4.6))
    axes = plain(figure.add_subplot(), grid="both")
    axes.grid(visible=False)
    share = part / matrix[rows].sum(1, keepdims=True)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    if rows[-1] == columns[-1] == len(names):
        _hatch_background(axes, len(rows), len(columns))
    for row, column in zip(*np.nonzero(part), strict=True):
        color = "white" if share[row, column] > 0.55 else INK
        axes.text(
            column, row, str(part[row, column]), ha="center", va="center", fontsize=7, color=color
        )
    _name_ticks(axes, [*names, NOTHING], rows, columns)
    axes.set(xlabel="detected as", ylabel="true class")
    return figure


def _hatch_background(axes: Axes, rows: int, columns: int) -> None:
    """Hatches the last cell: background taken for background is the rest of every image."""
    from matplotlib.patches import Rectangle  # deferred: an extra

    corner = (columns - 1.5, rows - 1.5)
    axes.add_patch(Rectangle(corner, 1, 1, facecolor=GRID, hatch="///", edgecolor="white"))


def _name_ticks(
    axes: Axes, named: Sequence[str], rows: Sequence[int], columns: Sequence[int]
) -> None:
    """Writes the names of the classes at both axes."""
    axes.set_xticks(
        range(len(columns)),
        [named[at] for at in columns],
        rotation=60,
        ha="right",
        rotation_mode="anchor",
        fontsize=8,
    )
    axes.set_yticks(range(len(rows)), [named[at] for at in rows], fontsize=8)


def _classes_to_show(matrix: NDArray[np.int64]) -> list[int]:
    """The classes with the most mix-ups with other classes, then with the background, in their own
    order; the background last."""
    classes = matrix[:-1, :-1]
    mixed = classes.sum(0) + classes.sum(1) - 2 * classes.diagonal()
    background = matrix[:-1, -1] + matrix[-1, :-1]
    best = np.lexsort((-background, -mixed))[:MAX_CLASSES]
    used = [int(label) for label in np.sort(best) if matrix[label].any() or matrix[:, label].any()]
    return [*used, len(classes)]
