"""How the command line ends: with the exit code that is documented, whatever is still running or
to be written."""

from __future__ import annotations

import atexit
import errno
import os
import sys
import time
from contextlib import suppress
from typing import NoReturn

from zoo.cli import stderr
from zoo.registry.containment import left_running

FULL = (errno.ENOSPC, errno.EDQUOT)
READER_LEFT = 141  # as a shell says of a program that SIGPIPE ended
PATIENCE = 1.0  # seconds that threads of plugins have to end by themselves


def meet_the_end_of_output(error: BaseException | None) -> None:
    """Exits if the reader of the output left, as in `zoo list | head`, or if a disk is full."""
    if isinstance(error, BrokenPipeError):
        _leave(READER_LEFT)
    if isinstance(error, OSError) and error.errno in FULL:
        stderr.error(f"Standard output can't be written: {error.strerror}.")
        _leave(1)


def _leave(code: int) -> NoReturn:
    """Exits, and lets nothing that is still to be written be missed."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            os.dup2(nowhere, stream.fileno())
    sys.exit(code)


def leave_threads(code: int) -> None:
    """Ends the process with this exit code if a plugin has left a thread running that would keep it
    from ending."""
    until = time.monotonic() + PATIENCE
    for _, thread in left_running():
        thread.join(max(0.0, until - time.monotonic()))
    left = left_running()
    for whose, thread in left:
        stderr.warning(
            f"The {whose} has left the thread '{thread.name:.40}' running; it is not waited for."
        )
    if left:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):
                stream.flush()
        os._exit(code)
