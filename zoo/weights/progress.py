"""Progress bars on stderr, for our own downloads and for those of the Hub's client."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


def wanted(progress: bool | None) -> bool:
    """Whether to show bars: as asked, or on a terminal."""
    return sys.stderr.isatty() if progress is None else progress


class Bar:
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

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(self, n: int = 1) -> None:
        """So many bytes more."""
        self.move(self.n + n, self.total)

    def move(self, n: int, total: int | None) -> None:
        """To `n` bytes of `total`."""
        self.n, self.total = n, total
        self.refresh()

    def say(self, what: str) -> None:
        """Names what is going on, in place of the file's name."""
        if self._progress:
            self._progress.update(self._task, description=what)

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
        """Speed is drawn anyway."""

    def update_transfer(self, n: int) -> None:
        """Bytes on the wire, where they differ from bytes of the file; one bar is enough."""

    def set_transfer_postfix_str(self, text: str, refresh: bool = True) -> None:
        """And their speed."""


class Hidden(Bar):
    """The bar of those who want none."""

    shown = False


def bar(progress: bool | None) -> type[Bar]:
    """The kind of bar to use."""
    return Bar if wanted(progress) else Hidden


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
