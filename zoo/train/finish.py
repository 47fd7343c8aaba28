"""Ends a run: a card for the best weights, a report with intervals, curves and a page."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import load_file

from zoo.evaluate import Report
from zoo.evaluate.evaluate import evaluate
from zoo.files import atomic_write, write_file
from zoo.registry import Choice
from zoo.registry.folder import FILE_PREFIX
from zoo.text import pluralize
from zoo.train.card import card_of, write_card
from zoo.train.data import TrainingSets
from zoo.train.logging import is_loss, read_log
from zoo.train.result import Result
from zoo.train.run_folder import WEIGHTS
from zoo.train.training import Training

REPORT, PAGE, CURVES = "report.json", "report.md", "curves.png"
SUMMARY_NUMBERS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR100")
PANEL_INCHES = (4.6, 3.4)


def finish(training: Training, *, choice: Choice | None, data: TrainingSets) -> Result:
    """Loads the best weights into the detector, in eval mode, and writes their card and report."""
    detector, progress, folder = training.detector, training.progress, training.folder
    detector.load_state_dict(load_file(folder / WEIGHTS))
    detector.eval()
    report = _write_report(training, choice, data) if training.accelerator.is_main_process else None
    measured = report.numbers if report is not None else {}
    return Result(
        path=folder,
        step=progress.best_step,
        steps=progress.step,
        numbers={name: value for name, value in measured.items() if value is not None},
        report=report,
        recipe=training.recipe,
        seconds=progress.seconds,
        held_out=data.held_out,
        main=training.accelerator.is_main_process,
    )


def _write_report(training: Training, choice: Choice | None, images: TrainingSets) -> Report | None:
    """Writes card, report, curves and page. Without a card it measures the detector itself."""
    detector, folder = training.detector, training.folder
    card, data = card_of(detector, choice, training.recipe), training.samples.dataset
    note = f"Trained on {data.name}: {pluralize(len(data), 'image')}, sha256 {data.sha256[:12]}."
    name = folder.absolute().name
    if card is not None:
        name = write_card(folder, card, choice=choice, name=name, note=note)
    report = None
    if images.validation is not None:
        model = detector if card is None else f"{FILE_PREFIX}{os.fspath(folder.absolute())}"
        device = None if card is None else detector.device
        report = evaluate(model, data=images.validation, device=device, progress=False)
        report.write(folder / REPORT)
    rows = read_log(training.log.path)
    drawn = draw_curves(rows, training.recipe.best, folder / CURVES)
    if images.held_out is not None:
        count, share = len(images.held_out.ids), images.held_out.share
        note += f" {pluralize(count, 'other image')}, a share of {share:g}, were split off before."
    text = page(training, name, note, report, drawn=drawn, loads=card is not None)
    write_file(folder / PAGE, text)
    return report


def page(
    training: Training, name: str, note: str, report: Report | None, *, drawn: bool, loads: bool
) -> str:
    """A page in Markdown: the data, the run, and the numbers of its best weights.

    drawn: whether there are curves. loads: whether the folder has a card, which makes it a model.
    """
    progress, recipe, folder = training.progress, training.recipe, training.folder
    lines = [f"# {name}", "", note, ""]
    spent = f"{progress.seconds / 60:.1f} minutes"
    lines += [
        f"{pluralize(progress.step, 'step')} of {pluralize(recipe.batch_size, 'image')} in {spent} "
        f"on {training.accelerator.device.type}; the weights are those of step "
        f"{progress.best_step}.",
        "",
    ]
    if report is not None:
        lines += [
            f"On {report.measured.data}, {pluralize(report.measured.images, 'image')}, in percent, "
            "with 95 % intervals:",
            "",
            *_table(report),
            "",
        ]
    lines += [f"![Losses and {recipe.best} over the steps]({CURVES})", ""] if drawn else []
    if loads:
        lines += ["```python", f'zoo.load("{FILE_PREFIX}{folder}").detect("image.jpg")', "```", ""]
    return "\n".join(lines)


def _table(report: Report) -> list[str]:
    rows = []
    for name in SUMMARY_NUMBERS:
        value, interval = report.numbers.get(name), report.intervals.get(name)
        if value is not None:
            low_high = f"{100 * interval.low:.1f} to {100 * interval.high:.1f}" if interval else ""
            rows.append(f"| {name} | {100 * value:.1f} | {low_high} |")
    return ["| number | value | interval |", "|---|---|---|", *rows]


def draw_curves(
    rows: list[Mapping[str, float]] | list[dict[str, float]], best: str, path: Path
) -> bool:
    """Draws losses, and the `best` number, over the steps; False without rows or matplotlib."""
    if importlib.util.find_spec("matplotlib") is None or not rows:
        return False
    from matplotlib.figure import Figure  # deferred: an extra

    from zoo.evaluate.plots.paper import plain

    measured = [row for row in rows if best in row]
    width, height = PANEL_INCHES
    figure = Figure(figsize=(width * (2 if measured else 1), height), layout="constrained")
    left, *right = figure.subplots(1, 2 if measured else 1, squeeze=False)[0]
    names = dict.fromkeys(name for row in rows for name in row)
    losses = [name for name in names if name == "loss" or is_loss(name)]
    for name in losses:
        points = [(row["step"], row[name]) for row in rows if name in row]
        plain(left).plot(*zip(*points, strict=True), label=name, linewidth=1.5)
    left.set(xlabel="step", ylabel="loss", ylim=(0, None))
    left.legend(frameon=False, fontsize=8)
    for axes in right:
        plain(axes).plot(
            [row["step"] for row in measured],
            [100 * row[best] for row in measured],
            marker="o",
            markersize=3,
        )
        axes.set(xlabel="step", ylabel=f"{best}, in percent", ylim=(0, None))
    with atomic_write(path, durable=False) as draft:
        figure.savefig(draft, dpi=120, format="png")
    return True
