"""Masks of data sets that are put together or cut into parts."""

from pathlib import Path

import numpy as np
import pytest

from tests.data.masked_squares import made
from zoo.data import read
from zoo.data.merge import merge


@pytest.mark.parametrize("second", [5, 50])
def test_data_sets_that_are_merged_or_split_keep_their_masks(tmp_path: Path, second: int) -> None:
    parts = {
        "one": read(made(tmp_path / "one", first=5)),
        "two": read(made(tmp_path / "two", first=second)),
    }
    whole = merge("both", parts)
    for row in range(2):
        for data in (whole, whole.subset([row])):
            masks = data.target(row if data is whole else 0, mask_size=(20, 30)).masks
            assert masks is not None
            assert masks.sum(dim=(1, 2)).tolist() == [36, 20, 0]
    assert whole.masks is not None
    assert whole.masks.known(np.append(whole.truth.ids, 999)).tolist() == [
        True,
        True,
        False,
    ] * 2 + [False]
