"""The display matrix of a clip turns and mirrors as the standard says."""

import numpy as np
import pytest

from zoo.video.upright import as_stored, is_turned

MATRICES = [
    (a, b, c, d) for a, b, c, d in [(1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1)]
] + [(0, b, c, 0) for b in (1, -1) for c in (1, -1)]


@pytest.mark.parametrize("matrix", MATRICES)
def test_each_stored_pixel_is_shown_where_the_matrix_takes_it(
    matrix: tuple[int, int, int, int],
) -> None:
    a, b, c, d = matrix
    stored = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    places = [(a * x + c * y, b * x + d * y) for y in range(4) for x in range(5)]
    left, top = (min(place[axis] for place in places) for axis in (0, 1))
    shape = (5, 4) if is_turned(matrix) else (4, 5)
    wanted = np.zeros((3, *shape), np.uint8)
    for (x, y), pixel in zip(places, stored.reshape(3, -1).T, strict=True):
        wanted[:, y - top, x - left] = pixel
    upright = np.zeros_like(wanted)
    as_stored(upright, matrix)[:] = stored
    assert np.array_equal(upright, wanted)
