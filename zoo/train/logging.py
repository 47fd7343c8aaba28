"""Logs a run to a CSV file with a row every few steps, and to TensorBoard if it is installed."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.files import write_file

ROW_STEPS = 10  # per row, which has the means of their losses
LEADING_COLUMNS = ("step", "epoch", "rate", "images_per_second", "waiting", "loss")


class Log:
    """Rows of numbers by name, kept in memory and written to the file with each checkpoint.

    step: from which the run continues; later rows of the file are dropped, as it will write them
        again.
    """

    def __init__(self, folder: Path, *, step: int = 0, tensorboard: bool = True) -> None:
        self.path = folder / "log.csv"
        self.rows = [row for row in read_log(self.path) if row["step"] <= step] if step else []
        self._sums: dict[str, float] = {}
        self._count = 0
        self._board = _tensorboard(folder / "tensorboard", step) if tensorboard else None

    def losses(self, parts: Mapping[str, float]) -> None:
        """Adds the losses of a step."""
        self._count += 1
        for name, value in parts.items():
            self._sums[name] = self._sums.get(name, 0.0) + value

    def row(self, step: int, **values: float) -> dict[str, float]:
        """Ends a row: the means of the losses since the last one, and these values."""
        parts = {name: value / self._count for name, value in self._sums.items()}
        row = {"step": step, **values}
        if parts:
            row |= {"loss": sum(parts.values()), **parts}
        self._sums, self._count = {}, 0
        return self.add(row)

    def add(self, row: dict[str, float]) -> dict[str, float]:
        """Adds a row, or values to the last one if that is of the same step."""
        if self.rows and self.rows[-1]["step"] == row["step"]:
            self.rows[-1] |= row
        else:
            self.rows.append(row)
        if self._board is not None:
            for name, value in row.items():
                if name != "step":
                    self._board.add_scalar(name, value, int(row["step"]))
        return row

    def write(self) -> None:
        """Writes the file, completely or not at all. Raises: OSError."""
        names = dict.fromkeys((*LEADING_COLUMNS, *(name for row in self.rows for name in row)))
        text = io.StringIO()
        writer = csv.DictWriter(text, list(names), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in self.rows)
        write_file(self.path, text.getvalue(), durable=False)

    def close(self) -> None:
        """Writes the rest of TensorBoard's log."""
        if self._board is not None:
            self._board.close()


def is_loss(name: str) -> bool:
    """Whether a number of a row is a loss, by its name."""
    return name not in LEADING_COLUMNS and name[:2] not in ("AP", "AR")


def read_log(path: Path) -> list[dict[str, float]]:
    """The rows of a log; none if it is missing or damaged."""
    try:
        lines = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        return [{name: float(value) for name, value in line.items() if value} for line in lines]
    except (OSError, ValueError, TypeError):
        return []


def _tensorboard(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter  # deferred: optional, and slow to import
    except ImportError:
        return None
    # Drops the events of an earlier run after that step.
    return SummaryWriter(str(folder), purge_step=step + 1 if step else None)
