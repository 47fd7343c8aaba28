"""The accuracy of a lighter file: its AP and that of the float32 graph it was made of, compared
image by image."""

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

    before, after: of the float32 graph, and of the file.
    low, high:     the 95 % interval of after - before, which is paired image by image.
    p_value:       how often a difference this large appears where there is none.
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
        """In points of AP; below 0 where the file is the better one."""
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
    """The numbers of an engine on a data set. Raises: DataError, LabelError, MissingExtra."""
    return evaluate(engine, data=data, progress=False)


def accuracy(before: Report, after: Report) -> Accuracy:
    """The second against the first. Raises: DataError where AP is not defined."""
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
