"""Counts are whole numbers of any library, and nothing that only looks like one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import zoo
from zoo.counts import count_of
from zoo.gallery.collect import check_most
from zoo.video.clip import Part


@pytest.mark.parametrize("given", [3, np.int64(3), np.uint8(3), torch.tensor(3)])
def test_a_whole_number_of_any_library_is_one(given: object) -> None:
    count = count_of(given)
    assert (count, type(count)) == (3, int)


@pytest.mark.parametrize("given", [True, np.True_, 3.0, np.float64(3), "3", None, 0, -1, [3]])
def test_anything_else_is_none(given: object) -> None:
    assert count_of(given) is None


def test_numbers_of_numpy_are_counts_of_the_public_functions() -> None:
    two = np.int64(2)
    check_most(two)
    assert Part(every=two).every == 2
    kwargs = {"data": "shapes:val,count=2", "batch_size": two}
    assert len(zoo.evaluate.predict("yolox_pico.shapes", **kwargs)) > 0
    with pytest.raises(zoo.errors.UsageError, match=r"np\.int64"):
        zoo.evaluate.predict("yolox_pico.shapes", **{**kwargs, "batch_size": np.int64(0)})
