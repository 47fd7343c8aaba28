"""Ctrl-C ends a command at the first time, whatever it is at: exit code 130, and no traceback."""

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
GRACE_SECONDS = (
    3.0  # for what finishes a file or removes a draft while an interrupt is on its way up
)
LOOK_AGAIN_SECONDS = 0.2

_finishing = threading.Event()


@contextmanager
def finishing() -> Iterator[None]:
    """Lets a file be finished after an interrupt, however long that takes, unless a second one
    comes."""
    _finishing.set()
    try:
        yield
    finally:
        _finishing.clear()


@contextmanager
def heard() -> Iterator[None]:
    """Ends the process soon after an interrupt even where a library or a plugin keeps Python from
    hearing it."""
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
    """Leaves interrupts to code that ends by itself in its own time, such as a server."""
    ours = threading.current_thread() is threading.main_thread() and os.name != "nt"
    before = signal.set_wakeup_fd(-1) if ours else -1
    try:
        yield
    finally:
        if ours:
            signal.set_wakeup_fd(before)


def leave(error: BaseException | None = None) -> NoReturn:
    """Says so and ends the process at once: no thread is waited for.

    error: the interrupt; its notes tell what is kept.
    """
    with suppress(OSError):  # standard error is closed
        _say(
            dict.fromkeys(
                note for cause in made_of(error) for note in getattr(cause, "__notes__", ())
            )
        )
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # it is closed, or nobody reads it any more
            stream.flush()
    os._exit(INTERRUPTED)


def _say(notes: Iterable[str] = ()) -> None:
    """Writes one line, and each note, past streams that a plugin may hold."""
    begin = "\n" if os.isatty(2) else ""  # after the ^C that a terminal shows
    lines = "\n".join(("Interrupted.", *map(printable, notes)))
    os.write(2, f"{begin}{lines}\n".encode(errors="replace"))


def is_interrupt(error: BaseException | None) -> bool:
    """Whether an interrupt is what the error was made of, as older versions of Typer do."""
    return any(
        isinstance(cause, KeyboardInterrupt)
        or (isinstance(cause, SystemExit) and cause.code == INTERRUPTED)
        for cause in made_of(error)
    )


def _is_ours() -> bool:
    """Whether interrupts come to this thread, and nobody has taken them over or ignores them."""
    if threading.current_thread() is not threading.main_thread():
        return False
    return signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _end_late(reading: int) -> None:
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while signals := pipe.read(64):  # nothing at its end, when the command is done
            if signal.SIGINT in signals:
                time.sleep(GRACE_SECONDS)
                while _finishing.is_set():
                    time.sleep(LOOK_AGAIN_SECONDS)
                _name_what_hangs()
                with suppress(OSError):
                    _say()
                os._exit(INTERRUPTED)


def _name_what_hangs() -> None:
    """Says whose plugin it is that does not hear of the interrupt, past streams that it may
    hold."""
    from zoo.registry.containment import running  # deferred: there is nothing to say as a rule

    if conduct := running():
        with suppress(OSError):
            os.write(2, f"Error: {printable(str(conduct.interrupt_error()))}\n".encode())
