"""The rows of a data set of the Hub, whatever its files are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.formats.hub.rows import Rows
from zoo.data.image_records import ImageRecords


@dataclass(frozen=True, eq=False)
class Gathered:
    """The rows of a data set, in the order of its files.

    paths:  (m,) what each image's file is called, None where nothing says it.
    splits: (m,) the split of each, empty for none.
    features: of the columns, where classes are looked for.
    sizes_of: rows -> (k, 2) their width and height by their headers, 0 where that can't be read.
    suffix_of: row -> the suffix of an image that has no name.
    records: ids, names, sizes and the order of the rows -> the images.
    """

    rows: Rows
    paths: Sequence[str | None]
    splits: Sequence[str]
    features: Sequence[Any]
    sizes_of: Callable[[NDArray[np.int64]], NDArray[np.int64]]
    suffix_of: Callable[[int], str]
    records: Callable[
        [NDArray[Any], Sequence[str], NDArray[np.int64], NDArray[np.int64]], ImageRecords
    ]
    notes: Sequence[str] = field(default=())
