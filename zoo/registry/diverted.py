"""Standard output while code of a plugin runs: what that prints goes to standard error, and a command's answer stays whole."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TextIO

STDOUT = 1
STDERR = 2
SILENT = ("zoo-interrupt",)  # threads that print nothing
Tell = Callable[[str], None]


class Output(io.TextIOBase):
    """Stands in for `sys.stdout`: passes on what other threads write, and sends the rest to standard error."""

    def __init__(self, real: TextIO | None, *, concerns: Callable[[], bool], printed: Tell, closed: Callable[[], None]) -> None:
        self._real = real
        self._concerns, self._printed, self._closes = concerns, printed, closed

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As the real one says."""
        return getattr(self._real, "encoding", None) or "utf-8"

    @property
    def buffer(self) -> Any:
        """For bytes: standard error's, or the real one for other threads."""
        if not self._concerns():
            return getattr(self._real, "buffer", None)
        self._printed("bytes")
        return getattr(sys.stderr, "buffer", io.BytesIO())

    def writable(self) -> bool:
        """Always."""
        return True

    def fileno(self) -> int:
        """The real one's."""
        if self._real is None:
            raise io.UnsupportedOperation("there is no standard output")
        return self._real.fileno()

    def write(self, text: str) -> int:
        """Writes to standard error, and remembers that it did."""
        if not self._concerns():
            return self._real.write(text) if self._real else len(text)
        if text.strip():
            self._printed(text)
        if sys.stderr is not None:
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """Flushes both."""
        for stream in (self._real, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):  # none there, or gone
                stream.flush()  # type: ignore[union-attr]

    def reconfigure(self, **_: Any) -> None:
        """Nothing can be changed about it."""

    def close(self) -> None:
        """Stays open."""
        self._closes()

    def rest(self) -> None:
        """From now on nothing is told of it: whoever kept it goes on writing to standard error, and it may be thrown away."""
        self._printed, self._closes = lambda _: None, lambda: None

    def detach(self) -> Any:
        """Stays whole."""
        self._closes()
        return self.buffer


@contextmanager
def diverted(*, concerns: Callable[[], bool], printed: Tell, closed: Callable[[], None]) -> Iterator[None]:
    """Sends what is printed meanwhile to standard error, tells the first of it, and leaves standard output open as it was.

    concerns: whether the thread that runs is one to divert. What is written beneath Python, by libraries and child
              processes, is diverted where no other thread runs, which may be writing there itself.
    """
    real, base, given = sys.stdout, sys.__stdout__, sys.stdin
    alone = all(one is threading.current_thread() or one.name in SILENT for one in threading.enumerate())
    stand_in = Output(real, concerns=concerns, printed=printed, closed=closed)
    with ExitStack() as stack:
        stack.enter_context(_kept(base, closed))
        if alone:
            stack.enter_context(_descriptor(base, printed, closed))
            sys.stdin = io.StringIO()  # a question at import would be asked by every listing
        sys.stdout = stand_in
        try:
            yield
        finally:
            if sys.stdout is not stand_in:
                closed()
            sys.stdout, sys.stdin = real, given
            stand_in.rest()


@contextmanager
def _kept(base: TextIO | None, closed: Callable[[], None]) -> Iterator[None]:
    """Opens standard output again if it is closed meanwhile."""
    try:
        kept = os.dup(STDOUT)
    except OSError:  # there is none
        yield
        return
    try:
        yield
        _open_again(base, kept, closed)
    finally:
        os.close(kept)


def _open_again(base: TextIO | None, kept: int, closed: Callable[[], None]) -> None:
    shut = base is not None and base.closed
    same = _is_same(kept)
    if not same:
        os.dup2(kept, STDOUT)
    if base is not None and shut:
        fresh = open(STDOUT, "w", encoding=base.encoding, errors=base.errors, closefd=False)  # noqa: SIM115
        sys.stdout = fresh if sys.stdout is base else sys.stdout
        sys.__stdout__ = fresh  # type: ignore[misc]
    if shut or not same:
        closed()


@contextmanager
def _descriptor(base: TextIO | None, printed: Tell, closed: Callable[[], None]) -> Iterator[None]:
    """The same for what is written beneath Python: to a file in memory first, which shows whether anything was."""
    if not hasattr(os, "memfd_create") or base is None or base.closed:
        yield
        return
    _flush(base)
    try:
        real = os.dup(STDOUT)
    except OSError:
        yield
        return
    sink = os.memfd_create("stdout")
    os.dup2(sink, STDOUT)
    try:
        yield
    finally:
        _flush(base)
        if not _is_same(sink):
            closed()
        os.dup2(real, STDOUT)
        os.close(real)
        written = os.pread(sink, 1 << 16, 0)
        os.close(sink)
        if written:
            printed(written.decode(errors="replace"))
            with suppress(OSError):
                os.write(STDERR, written)


def _is_same(descriptor: int) -> bool:
    """Whether standard output is what this is a copy of."""
    try:
        return os.path.samestat(os.fstat(STDOUT), os.fstat(descriptor))
    except OSError:  # it is closed
        return False


def _flush(stream: TextIO) -> None:
    with suppress(OSError, ValueError):  # gone, or closed
        stream.flush()
