"""Masks of COCO files: run lengths to the bit, polygons as COCO's own tools fill them but for the
edge."""

import json
import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as reference

from tests.data.masked_squares import made
from zoo.data import read
from zoo.data.formats.coco.masks import fill, inside

SIZE = (37, 53)


def filled(segmentation: Any, size: tuple[int, int] = SIZE) -> NDArray[np.bool_]:
    mask = np.zeros(size, bool)
    fill(mask, json.dumps(segmentation).encode())
    return mask


@given(st.integers(0, 1000), st.floats(0, 1))
def test_run_lengths_come_back_to_the_bit(seed: int, share: float) -> None:
    wanted = np.random.default_rng(seed).random(SIZE) < share
    packed = reference.encode(np.asfortranarray(wanted.astype(np.uint8)))
    text = {"size": list(SIZE), "counts": packed["counts"].decode()}
    assert np.array_equal(filled(text), wanted)
    steps = np.flatnonzero(np.diff(np.concatenate([[False], wanted.T.ravel()]))).tolist()
    counts = np.diff([0, *steps, wanted.size]).tolist()
    assert np.array_equal(filled({"size": list(SIZE), "counts": counts}), wanted)


@given(st.lists(st.tuples(st.floats(-5, 60), st.floats(-5, 42)), min_size=3, max_size=12))
def test_a_pixel_is_in_a_polygon_as_its_middle_is(corners: list[tuple[float, float]]) -> None:
    points = np.array(corners).round(2) + 0.003  # no middle of a pixel is on an edge
    got = inside(points, *SIZE)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    closed = np.vstack([points, points[:1]])
    crossings = np.zeros(SIZE)
    for (x1, y1), (x2, y2) in pairwise(closed):
        crossed = (y1 > y) != (y2 > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            crossings += crossed & (x1 + (y - y1) / (y2 - y1) * (x2 - x1) <= x)
    assert np.array_equal(got, crossings % 2 == 1)


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # of pycocotools
def test_polygons_are_those_of_cocos_tools_but_for_the_edge() -> None:
    random = np.random.default_rng(0)
    for _ in range(30):
        angles = np.sort(random.uniform(0, 2 * np.pi, 12))
        radii = random.uniform(20, 45, 12)
        points = 50 + np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, None]
        ring = points.ravel().tolist()
        other = reference.decode(reference.merge(reference.frPyObjects([ring], 100, 100))) > 0
        mine = filled([ring], (100, 100))
        assert (mine & other).sum() / (mine | other).sum() > 0.93


@pytest.mark.parametrize(
    "text", [[[1, 2, 3]], [[1, 2, 3, 4]], {"size": [2, 2], "counts": [4]}, 7, None]
)
def test_what_is_no_mask_of_the_image_has_no_pixel(text: Any) -> None:
    assert not filled(text).any()


def test_a_target_has_masks_where_they_are_asked_for(tmp_path: Path) -> None:
    data = pickle.loads(pickle.dumps(read(made(tmp_path, first=5))))
    assert data.target(0).masks is None
    masks = data.target(0, mask_size=(20, 30)).masks
    assert masks is not None
    assert masks.sum(dim=(1, 2)).tolist() == [36, 20, 0]
    assert masks[0, 3:9, 2:8].all()
    assert masks[1, :, 0].all()
    assert data.masks is not None
    assert data.masks.exist(data.truth.ids).tolist() == [True, True, False]
