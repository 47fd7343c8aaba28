"""Quantiles of what was timed, and the memory that a process has held."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path


def quantile(ascending: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of them does not exceed."""
    return ascending[max(0, -int(-share * len(ascending) // 1) - 1)]


def resident_peak() -> float | None:
    """The most memory that this process has held, in millions of bytes; None where the system does
    not say.

    Linux is asked for that of this program: its `ru_maxrss` begins with what the process held that
    started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        held = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE)
        return int(held[1]) * 1024 / 1e6 if held else None
    try:
        import resource  # there is none on Windows
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
