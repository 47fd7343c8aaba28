"""The first Ctrl-C ends any command, with exit code 130 and no traceback."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from zoo.errors import made_of
from zoo.printable import printable

INTERRUPTED = 130
# For code that finishes a file or removes a draft while an interrupt propagates.
GRACE_SECONDS = 3.0
POLL_SECONDS = 0.2

_finishing = threading.Event()


@contextmanager
def finishing() -> Iterator[None]:
    """Lets the block finish a file after an interrupt, however long it takes; a second interrupt
    ends it."""
    _finishing.set()
    try:
        yield
    finally:
        _finishing.clear()


@contextmanager
def forced_exit() -> Iterator[None]:
    """Ends the process soon after an interrupt, even if code of a library or plugin keeps Python
    from handling it."""
    if os.name == "nt" or not _is_ours():
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_end_late, args=(reading,), name="zoo-interrupt", daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writing)


@contextmanager
def left_to_others() -> Iterator[None]:
    """Leaves interrupts to code that handles them itself, such as a server."""
    ours = threading.current_thread() is threading.main_thread() and os.name != "nt"
    before = signal.set_wakeup_fd(-1) if ours else -1
    try:
        yield
    finally:
        if ours:
            signal.set_wakeup_fd(before)


def leave(error: BaseException | None = None) -> NoReturn:
    """Prints that the command was interrupted, and ends the process without waiting for threads.

    error: the interrupt; its notes, such as what was saved, are printed too.
    """
    with suppress(OSError):  # standard error is closed
        _write_interrupted(
            dict.fromkeys(
                note for cause in made_of(error) for note in getattr(cause, "__notes__", ())
            )
        )
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # it is closed, or its reader has gone
            stream.flush()
    os._exit(INTERRUPTED)


def _write_interrupted(notes: Iterable[str] = ()) -> None:
    """Writes `Interrupted.` and each note as a line, straight to the descriptor, as a plugin may
    hold the lock of the stream."""
    begin = "\n" if os.isatty(2) else ""  # after the ^C that a terminal shows
    lines = "\n".join(("Interrupted.", *map(printable, notes)))
    os.write(2, f"{begin}{lines}\n".encode(errors="replace"))


def is_interrupt(error: BaseException | None) -> bool:
    """Whether the error is an interrupt or was raised from one, as by older versions of Typer."""
    return any(
        isinstance(cause, KeyboardInterrupt)
        or (isinstance(cause, SystemExit) and cause.code == INTERRUPTED)
        for cause in made_of(error)
    )


def _is_ours() -> bool:
    """Whether this is the main thread, and Python's own handler receives interrupts."""
    if threading.current_thread() is not threading.main_thread():
        return False
    return signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _end_late(reading: int) -> None:
    """Ends the process some seconds after an interrupt, unless the command ends before that.

    reading: descriptor of a pipe with the numbers of the signals that arrive.
    """
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while signals := pipe.read(64):  # empty once the command is done and closes the pipe
            if signal.SIGINT in signals:
                time.sleep(GRACE_SECONDS)
                while _finishing.is_set():
                    time.sleep(POLL_SECONDS)
                _name_hanging_plugin()
                with suppress(OSError):
                    _write_interrupted()
                os._exit(INTERRUPTED)


def _name_hanging_plugin() -> None:
    """Writes which plugin does not react to the interrupt, if one is running, straight to the
    descriptor."""
    from zoo.registry.plugin_calls import running  # deferred: rarely needed

    if conduct := running():
        with suppress(OSError):
            os.write(2, f"Error: {printable(str(conduct.interrupt_error()))}\n".encode())
