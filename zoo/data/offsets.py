"""Groups of rows, one after another in a table: where each starts, and its row numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def starts_of(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row where each group starts, and the end: (n,) group sizes to (n + 1,) offsets."""
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def rows_of(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows of several groups, one group after another: (n,) first rows and group sizes to
    (counts.sum(),) row numbers."""
    shift = starts - starts_of(counts)[:-1]  # (n,)
    return np.arange(int(counts.sum()), dtype=np.int64) + np.repeat(shift, counts)
