"""A progress bar on standard error, for work that takes longer than a moment."""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE_SECONDS = 1.0


class Bar:
    """Counts to `total` (None: unknown). A context manager; rich is imported when the bar appears.

    show: True at once, False never, None after a second if standard error is a terminal.
    """

    def __init__(self, description: str, *, total: int | None, show: bool | None = None) -> None:
        self._what = description
        self._total = total
        terminal = sys.stderr is not None and sys.stderr.isatty()
        self._wanted = terminal if show is None else show
        self._due = monotonic() + (0.0 if show else PATIENCE_SECONDS)
        self._done = 0
        self._shown: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def advance(self, count: int = 1, *, description: str | None = None) -> None:
        """One more is done, or `count`; `description` is shown from now on."""
        self._done += count
        self._what = description or self._what
        if self._wanted and self._shown is None and monotonic() >= self._due:
            self._shown = _progress(self._what, self._total)
        if self._shown:
            task = self._shown.task_ids[0]
            self._shown.update(task, completed=self._done, description=self._what)

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._shown.stop()


def _progress(description: str, total: int | None) -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=Console(stderr=True))
    progress.add_task(description, total=total)
    progress.start()
    return progress
