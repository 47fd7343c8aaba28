"""The end of a run: the best weights, measured once more with intervals, and a page about it."""

from __future__ import annotations

from safetensors.torch import load_file

from zoo.data import Dataset
from zoo.evaluate.evaluate import evaluate
from zoo.train.loop import Training
from zoo.train.result import Result
from zoo.train.run_folder import WEIGHTS

REPORT = "report.json"


def finished(training: Training, *, validation: Dataset | None) -> Result:
    """The result; the detector has the best weights then, and is in eval mode."""
    detector, progress, folder = training.detector, training.progress, training.folder
    detector.load_state_dict(load_file(folder / WEIGHTS))
    detector.eval()
    report = None
    if training.accelerator.is_main_process and validation is not None:
        report = evaluate(detector, data=validation, progress=False)
        report.write(folder / REPORT)
    numbers = (
        {}
        if report is None
        else {name: value for name, value in report.numbers.items() if value is not None}
    )
    return Result(
        path=folder,
        step=progress.best_step,
        steps=progress.step,
        numbers=numbers,
        report=report,
        recipe=training.recipe,
        seconds=progress.seconds,
    )
