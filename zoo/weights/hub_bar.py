"""The progress bar in the form that the Hub's client takes."""

from __future__ import annotations

from typing import Self

from zoo.progress import Bar, is_shown


class HubBar:
    """A bar for one file, with the methods of tqdm that huggingface_hub calls
    (`huggingface_hub.utils.tqdm`)."""

    show = True

    def __init__(
        self, *, desc: str, total: int | None = None, initial: int = 0, **_: object
    ) -> None:
        self.n = initial
        self.total = total
        self._bar = Bar(desc, total=total, show=self.show, in_bytes=True)
        self.refresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(self, n: int = 1) -> None:
        """Adds `n` bytes."""
        self.n += n
        self.refresh()

    def refresh(self) -> None:
        """Draws."""
        self._bar.move(self.n, self.total)

    def close(self) -> None:
        """Draws for the last time."""
        self.refresh()
        self._bar.close()

    def set_postfix_str(self, text: str, refresh: bool = True) -> None:
        """Ignored: the speed has a column."""

    def update_transfer(self, n: int) -> None:
        """Ignored: bytes on the wire, if they differ from those of the file."""

    def set_transfer_postfix_str(self, text: str, refresh: bool = True) -> None:
        """Ignored: the speed of those."""


class HiddenHubBar(HubBar):
    """A bar that is not shown."""

    show = False


def hub_bar(progress: bool | None) -> type[HubBar]:
    """The type of bar to pass to the client, shown or hidden."""
    return HubBar if is_shown(progress) else HiddenHubBar
