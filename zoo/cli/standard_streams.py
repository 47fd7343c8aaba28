"""Standard streams that are closed, as by `>&-`, lead nowhere instead, so that no other file takes
their place."""

from __future__ import annotations

import os
import sys


def open_what_is_closed() -> None:
    """Opens the null device for each of standard input, output and error that Python found
    closed."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            mode = "w" if number else "r"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
