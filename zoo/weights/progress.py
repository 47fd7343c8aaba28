"""Progress bars on stderr, for our own downloads and for those of the Hub's client."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


def is_shown(progress: bool | None) -> bool:
    """Whether to show bars: `progress`, or on a terminal if that is None."""
    return sys.stderr.isatty() if progress is None else progress


class FileBar:
    """A bar for one file. Its methods are those of tqdm that huggingface_hub calls
    (`huggingface_hub.utils.tqdm`)."""

    shown = True

    def __init__(
        self, *, desc: str, total: int | None = None, initial: int = 0, **_: object
    ) -> None:
        self.n = initial
        self.total = total
        self._progress: Progress | None = _progress() if self.shown else None
        if self._progress:
            self._task = self._progress.add_task(desc, total=total, completed=initial)
            self._progress.start()

    def __enter__(self) -> FileBar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(self, n: int = 1) -> None:
        """Adds `n` bytes."""
        self.move(self.n + n, self.total)

    def move(self, n: int, total: int | None) -> None:
        """Sets it to `n` bytes of `total`."""
        self.n, self.total = n, total
        self.refresh()

    def say(self, description: str) -> None:
        """Shows this text in place of the file's name."""
        if self._progress:
            self._progress.update(self._task, description=description)

    def refresh(self) -> None:
        """Draws."""
        if self._progress:
            self._progress.update(self._task, completed=self.n, total=self.total)

    def close(self) -> None:
        """Draws for the last time."""
        if self._progress:
            self.refresh()
            self._progress.stop()

    def set_postfix_str(self, text: str, refresh: bool = True) -> None:
        """Ignored: the speed has a column."""

    def update_transfer(self, n: int) -> None:
        """Ignored: bytes on the wire, if they differ from those of the file."""

    def set_transfer_postfix_str(self, text: str, refresh: bool = True) -> None:
        """Ignored: the speed of those."""


class HiddenFileBar(FileBar):
    """A bar that is not shown."""

    shown = False


def bar_type(progress: bool | None) -> type[FileBar]:
    """The type of bar to use, shown or hidden."""
    return FileBar if is_shown(progress) else HiddenFileBar


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True))
