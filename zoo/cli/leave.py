"""Ends the command line with the documented exit code, even if threads still run or the output
can't be written."""

from __future__ import annotations

import atexit
import os
import sys
import time
from contextlib import suppress
from typing import NoReturn

from zoo.cli import stderr
from zoo.files import DISK_FULL_ERRORS
from zoo.registry.plugin_calls import left_running

READER_LEFT = 141  # the exit code that shells give a program ended by SIGPIPE
THREAD_GRACE_SECONDS = 1.0  # for threads of plugins to end by themselves


def exit_if_output_ended(error: BaseException | None) -> None:
    """Exits if the error is that the reader closed the pipe, as in `zoo list | head`, or that the
    disk is full."""
    if isinstance(error, BrokenPipeError):
        _leave(READER_LEFT)
    if isinstance(error, OSError) and error.errno in DISK_FULL_ERRORS:
        stderr.error(f"Standard output can't be written: {error.strerror}.")
        _leave(1)


def _leave(code: int) -> NoReturn:
    """Exits, with the standard streams on the null device, so that Python's final flush does not
    fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            os.dup2(nowhere, stream.fileno())
    sys.exit(code)


def leave_threads(code: int) -> None:
    """Ends the process with this exit code if threads of plugins would keep Python from ending."""
    deadline = time.monotonic() + THREAD_GRACE_SECONDS
    for _, thread in left_running():
        thread.join(max(0.0, deadline - time.monotonic()))
    running = left_running()
    for owner, thread in running:
        stderr.warning(
            f"The {owner} has left the thread '{thread.name:.40}' running; it is not waited for."
        )
    if running:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):
                stream.flush()
        os._exit(code)
