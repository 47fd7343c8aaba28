"""A progress bar on standard error, for work that takes longer than a moment."""

from __future__ import annotations

import sys
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

PATIENCE_SECONDS = 1.0
# Over which the time left is estimated: steps of many seconds are known only after some of them.
ESTIMATE_SECONDS = 600.0


def is_shown(show: bool | None) -> bool:
    """Whether bars are shown: `show`, or on a terminal if that is None."""
    if show is None:
        return sys.stderr is not None and sys.stderr.isatty()
    return show


class Bar:
    """Counts to `total` (None: unknown). A context manager; rich is imported when the bar appears.

    show: True at once, False never, None after a second if standard error is a terminal.
    in_bytes: it counts bytes, and shows their rate.
    in_line: the description is long: it comes after count and time left, in the rest of the line.
    """

    def __init__(
        self,
        description: str,
        *,
        total: int | None,
        show: bool | None = None,
        in_bytes: bool = False,
        in_line: bool = False,
    ) -> None:
        self.done = 0
        self.total = total
        self._description = description
        self._start = _line_started if in_line else partial(_started, in_bytes=in_bytes)
        self._may_appear = is_shown(show)
        self._due = monotonic() + (0.0 if show else PATIENCE_SECONDS)
        self._progress: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def advance(self, count: int = 1, *, description: str | None = None) -> None:
        """One more is done, or `count`; `description` is shown from now on."""
        self.move(self.done + count, self.total, description=description)

    def describe(self, description: str) -> None:
        """Shows another description from now on."""
        self.move(self.done, self.total, description=description)

    def move(self, done: int, total: int | None, *, description: str | None = None) -> None:
        """Sets it to `done` of `total`."""
        self.done, self.total = done, total
        self._description = description or self._description
        if self._may_appear and self._progress is None and monotonic() >= self._due:
            self._progress = self._start(self._description)
        if self._progress:
            self._progress.update(
                self._progress.task_ids[0],
                completed=done,
                total=total,
                description=self._description,
            )

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Draws for the last time."""
        if self._progress:
            self._progress.stop()


def _line_started(description: str) -> Progress:
    from rich import progress as columns
    from rich.table import Column

    rest = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    return _begun(
        description,
        columns.MofNCompleteColumn(),
        columns.TaskProgressColumn(),
        columns.TimeRemainingColumn(),
        columns.TextColumn("{task.description}", markup=False, table_column=rest),
        speed_estimate_period=ESTIMATE_SECONDS,
        expand=True,
    )


def _started(description: str, *, in_bytes: bool) -> Progress:
    from rich import progress as columns

    counts: tuple[ProgressColumn, ...] = (columns.MofNCompleteColumn(),)
    if in_bytes:
        counts = (columns.DownloadColumn(), columns.TransferSpeedColumn())
    return _begun(
        description,
        columns.TextColumn("{task.description}", markup=False),
        columns.BarColumn(),
        *counts,
        columns.TimeRemainingColumn(),
    )


def _begun(description: str, *columns: ProgressColumn, **options: Any) -> Progress:
    from rich.console import Console
    from rich.progress import Progress

    progress = Progress(*columns, console=Console(stderr=True), **options)
    progress.add_task(description, total=None)
    progress.start()
    return progress
