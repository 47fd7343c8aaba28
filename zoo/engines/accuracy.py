"""Compares the AP of a lighter file with that of the float32 graph that it was made from, image by
image."""

from __future__ import annotations

from dataclasses import dataclass

from zoo.data import Dataset
from zoo.engines.engine import Engine
from zoo.evaluate.compare import compare
from zoo.evaluate.evaluate import evaluate
from zoo.evaluate.report import Report
from zoo.text import pluralize


@dataclass(frozen=True)
class Accuracy:
    """AP of two files on the same images, under the uniform protocol.

    before, after: AP of the float32 graph and of the file, in [0, 1].
    low, high:     the 95 % interval of after - before, paired image by image.
    p_value:       the probability of a difference this large if there is none.
    """

    data: str
    images: int
    before: float
    after: float
    low: float
    high: float
    p_value: float

    @property
    def lost(self) -> float:
        """The loss in points of AP; negative if the file is better."""
        return 100 * (self.before - self.after)

    def __str__(self) -> str:
        points, low, high = (
            round(100 * each, 2) + 0.0 for each in (self.after - self.before, self.low, self.high)
        )
        return (
            f"AP {100 * self.after:.1f}, and {100 * self.before:.1f} in float32, on "
            f"{pluralize(self.images, 'image')} of {self.data}: {points:+.2f} points "
            f"(95 % interval {low:+.2f} to {high:+.2f}, p {self.p_value:.2g})"
        )


def report(engine: Engine, data: Dataset) -> Report:
    """Measures an engine on a data set. Raises: DataError, LabelError, MissingExtra."""
    return evaluate(engine, data=data, progress=False)


def accuracy(before: Report, after: Report) -> Accuracy:
    """The AP of both reports and their difference. Raises: DataError if AP is not defined."""
    difference = compare(before, after)["AP"]
    return Accuracy(
        data=after.measured.data,
        images=after.measured.images,
        before=difference.a,
        after=difference.b,
        low=difference.interval.low,
        high=difference.interval.high,
        p_value=difference.p_value,
    )
