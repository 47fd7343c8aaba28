"""Connects closed standard streams, as by `>&-`, to the null device, so that no other file gets
their descriptors."""

from __future__ import annotations

import os
import sys


def open_what_is_closed() -> None:
    """Opens the null device in place of each standard stream that was closed when Python began."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            mode = "w" if number else "r"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
