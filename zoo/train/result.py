"""Result: the folder of a run, and the numbers of the best weights in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zoo.evaluate import Report
from zoo.train.data import HeldOut
from zoo.train.recipe import Recipe


@dataclass(frozen=True)
class Result:
    """A trained detector in a folder.

    path:    the folder; `zoo.load(result.path)` loads the detector.
    step:    from which its weights are.
    steps:   that were done.
    numbers: of these weights on the validation images; empty without any.
    report:  the same with intervals, each class and provenance; None without validation.
    recipe:  the complete recipe.
    seconds: of training.
    held_out: the validation images, if they were split off because none were named.
    main:    whether this process wrote the folder; one of several does.
    """

    path: Path
    step: int
    steps: int
    numbers: dict[str, float]
    report: Report | None
    recipe: Recipe
    seconds: float
    held_out: HeldOut | None = None
    main: bool = True

    def __fspath__(self) -> str:
        return str(self.path)
