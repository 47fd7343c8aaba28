"""Rows that belong together, one group after another: starts and counts to row numbers, without a
loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def starts_of(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) group sizes to the (n + 1,) row where each group starts, and the end."""
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def rows_of(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows `starts[i], starts[i] + 1, … starts[i] + counts[i] - 1` of every group, one group
    after another."""
    shift = starts - starts_of(counts)[:-1]  # (n,)
    return np.arange(int(counts.sum()), dtype=np.int64) + np.repeat(shift, counts)
