"""Standard output while code of a plugin runs: what that prints goes to standard error, and a
command's answer stays whole."""

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
    """Stands in for `sys.stdout`: passes on what other threads write, and sends the rest to
    standard error."""

    def __init__(
        self,
        real: TextIO | None,
        *,
        concerns: Callable[[], bool],
        printed: Tell,
        closed: Callable[[], None],
    ) -> None:
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
        """From now on nothing is told of it: whoever kept it goes on writing to standard error, and
        it may be thrown away."""
        self._printed, self._closes = lambda _: None, lambda: None

    def detach(self) -> Any:
        """Stays whole."""
        self._closes()
        return self.buffer


@contextmanager
def diverted(
    *, concerns: Callable[[], bool], printed: Tell, closed: Callable[[], None]
) -> Iterator[None]:
    """Sends what is printed meanwhile to standard error, tells the first of it, and leaves standard
    output open as it was.

    concerns: whether the thread that runs is one to divert. What is written beneath Python, by
              libraries and child processes, is diverted where no other thread runs, which may be
              writing there itself.
    """
    real, base, given = sys.stdout, sys.__stdout__, sys.stdin
    alone = all(
        one is threading.current_thread() or one.name in SILENT for one in threading.enumerate()
    )
    stand_in = Output(real, concerns=concerns, printed=printed, closed=closed)
    own: Any = stand_in
    with ExitStack() as stack:
        stack.enter_context(_kept("stdout", STDOUT, closed))
        stack.enter_context(_kept("stderr", STDERR, closed))
        if alone:
            stack.enter_context(_descriptor(base, printed, closed))
            sys.stdin = io.StringIO()  # a question at import would be asked by every listing
        # Both, since whoever has kept the real one would go on with a closed file.
        sys.stdout = sys.__stdout__ = own  # type: ignore[misc]
        try:
            yield
        finally:
            if sys.stdout is not own or sys.__stdout__ is not own:
                closed()
            sys.stdout, sys.stdin = real, given
            sys.__stdout__ = base  # type: ignore[misc]
            stand_in.rest()


@contextmanager
def _kept(name: str, descriptor: int, closed: Callable[[], None]) -> Iterator[None]:
    """Opens a standard stream again if it is closed or replaced meanwhile: `stdout` or `stderr`,
    and its descriptor."""
    given, base = getattr(sys, name), getattr(sys, f"__{name}__")
    try:
        kept = os.dup(descriptor)
    except OSError:  # there is none
        yield
        return
    try:
        yield
    finally:
        if not _is_same(descriptor, kept):
            closed()
            os.dup2(kept, descriptor)
        os.close(kept)
        if getattr(sys, name) is not given or getattr(sys, f"__{name}__") is not base:
            closed()
        again = {
            id(one): _opened(one, descriptor)
            for one in (given, base)
            if one is not None and one.closed
        }
        if again:
            closed()
        setattr(sys, name, again.get(id(given), given))
        setattr(sys, f"__{name}__", again.get(id(base), base))


def _opened(stream: TextIO, descriptor: int) -> TextIO:
    """A stream like the one that was closed."""
    return open(descriptor, "w", encoding=stream.encoding, errors=stream.errors, closefd=False)


@contextmanager
def _descriptor(base: TextIO | None, printed: Tell, closed: Callable[[], None]) -> Iterator[None]:
    """The same for what is written beneath Python: to a file in memory first, which shows whether
    anything was."""
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
        if not _is_same(STDOUT, sink):
            closed()
        os.dup2(real, STDOUT)
        os.close(real)
        written = os.pread(sink, 1 << 16, 0)
        os.close(sink)
        if written:
            printed(written.decode(errors="replace"))
            with suppress(OSError):
                os.write(STDERR, written)


def _is_same(descriptor: int, other: int) -> bool:
    """Whether one descriptor is a copy of the other."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.fstat(other))
    except OSError:  # it is closed
        return False


def _flush(stream: TextIO) -> None:
    with suppress(OSError, ValueError):  # gone, or closed
        stream.flush()
