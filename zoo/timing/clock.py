"""Quantiles of durations, and the peak memory of this process."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path


def quantile(ascending: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share of them, in (0, 1], does not exceed."""
    return ascending[max(0, -int(-share * len(ascending) // 1) - 1)]


def resident_peak() -> float | None:
    """The peak memory of this process in millions of bytes; None if the system does not report it.

    On Linux it is read from `/proc`, as `ru_maxrss` starts at the memory of the parent process.
    """
    status = Path("/proc/self/status")
    if status.exists():
        match = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE)
        return int(match[1]) * 1024 / 1e6 if match else None
    try:
        import resource  # absent on Windows
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
