"""Reports training progress: a line that counts the steps, and a line after each validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from zoo.progress import Bar
from zoo.train.logging import is_loss

Say = Callable[[str], None]


class Live:
    """Updates a bar with images per second, the last AP, losses and rate, and passes lines to
    `say`."""

    def __init__(self, bar: Bar, *, best: str, steps: int, say: Say | None) -> None:
        self._bar, self._best, self._say = bar, best, say
        self._step, self._steps = 0, steps
        self._row: dict[str, float] = {}

    def begin(self, step: int) -> None:
        """Sets the bar to a step that is done, after which the run continues."""
        self._bar.advance(step)
        self._step = step

    def tell(self, row: Mapping[str, float]) -> None:
        """Shows a row of the log, or that a step is done, which has no more than its number."""
        step = int(row["step"])
        measured = self._best in row
        self._row |= row
        self._bar.advance(step - self._step, description=line(self._row, self._best))
        self._step = step
        if measured and self._say:
            self._say(f"step {step}/{self._steps}  {line(self._row, self._best)}")


def line(row: Mapping[str, float], best: str) -> str:
    """A row of the log as a line of text, in which what matters most comes first: a narrow
    terminal cuts the end."""
    words = []
    if "images_per_second" in row:
        words += [f"{row['images_per_second']:.3g} images/s"]
    words += [f"{best} {100 * row[best]:.1f}"] if best in row else []
    parts = {name: value for name, value in row.items() if is_loss(name)}
    losses = " + ".join(f"{name} {value:.3g}" for name, value in parts.items())
    words += [f"loss {row['loss']:.4g} = {losses}"] if "loss" in row else []
    words += [f"rate {row['rate']:.2g}"] if "rate" in row else []
    return "  ".join(words)
