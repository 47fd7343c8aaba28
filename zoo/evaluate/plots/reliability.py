"""Whether scores are probabilities: precision against score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.evaluate.plots.paper import BLUE, INK, ORANGE, PALE, paper, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo.evaluate.analyses.calibration import Bin
    from zoo.evaluate.report import Report


def reliability(report: Report) -> Figure | None:
    """Above, precision in each range of scores, and the line on which scores are honest; below, how
    many detections."""
    if report.analyses is None or report.analyses.calibration is None:
        return None
    calibration = report.analyses.calibration
    figure = paper(
        report,
        f"Scores against precision: D-ECE {calibration.d_ece:.3f}, LaECE {calibration.la_ece:.3f}",
        height=5.4,
    )
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    left, width = (
        [bin_.low for bin_ in calibration.bins],
        calibration.bins[0].high - calibration.bins[0].low,
    )
    plain(above).bar(
        left,
        [bin_.precision or 0 for bin_ in calibration.bins],
        width=width,
        align="edge",
        color=BLUE,
        alpha=0.35,
        linewidth=0,
    )
    full = [bin_ for bin_ in calibration.bins if bin_.count]
    above.plot(
        [bin_.score for bin_ in full],
        [bin_.precision for bin_ in full],
        "o-",
        color=BLUE,
        markersize=4,
        linewidth=1.5,
        label="measured",
        clip_on=False,
        zorder=3,
    )
    above.plot([0, 1], [0, 1], color=ORANGE, linewidth=1.2, linestyle="--", label="honest scores")
    above.legend(frameon=False, labelcolor=INK, fontsize=9, loc="upper left")
    above.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="precision at IoU .5")
    _counts(calibration.bins, below, left, width)
    return figure


def _counts(bins: tuple[Bin, ...], axes: Axes, left: list[float], width: float) -> None:
    plain(axes, grid="y").bar(
        left,
        [bin_.count for bin_ in bins],
        width=width,
        align="edge",
        color=PALE,
        alpha=0.5,
        linewidth=0,
    )
    most = max(bin_.count for bin_ in bins)
    axes.set(yscale="log", ylim=(0.8, 2 * most), xlabel="score", ylabel="detections")
    axes.yaxis.set_major_formatter(_count)  # matplotlib's own writes powers of ten as a formula
    axes.yaxis.set_minor_formatter(_few_counts if most < 10 else "")


def _count(value: float, _: object) -> str:
    """The label of a tick."""
    return f"{value:,.0f}" if value >= 1 else ""


def _few_counts(value: float, _: object) -> str:
    """The label of a tick between powers of ten; most have none."""
    return f"{value:.0f}" if round(value) in (2, 5) and value >= 1.5 else ""
