"""Places chips at their boxes, inside the image, without overlap, and where they hide little of
other boxes; the best choose first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Box: TypeAlias = tuple[float, float, float, float]
Spot: TypeAlias = tuple[int, int]

LITTLE = 0.1  # of a box, which any chip may hide


def place(
    boxes: Sequence[Box],
    sizes: Sequence[tuple[int, int]],
    *,
    height: int,
    width: int,
    reach: float,
    share: float,
) -> list[Spot | None]:
    """The left and top of each chip of `(width, height)` pixels, or None if it does not
    fit any more.

    boxes: best first, inside the image. reach: pixels by which their frames are larger. share:
        the part of the image that all
    chips together may cover; the first one always may.
    """
    every = np.array(boxes, np.float64).reshape(-1, 4)
    taken = np.zeros((len(boxes), 4))
    places: list[Spot | None] = []
    count, left = 0, share * height * width
    for own, (box, (wide, tall)) in enumerate(zip(boxes, sizes, strict=True)):
        spots = (
            _spots(box, wide, tall, reach, height, width)
            if not count or wide * tall <= left
            else ()
        )
        free = [spot for spot in spots if _is_free(taken[:count], spot, wide, tall)]
        hidden = [max(LITTLE, _hidden(every, own, spot, wide, tall)) for spot in free]
        spot = free[hidden.index(min(hidden))] if free else None
        places.append(spot)
        if spot:
            taken[count] = (*spot, spot[0] + wide, spot[1] + tall)
            left -= wide * tall
            count += 1
    return places


def _spots(box: Box, wide: int, tall: int, reach: float, height: int, width: int) -> Iterator[Spot]:
    """Left and top of every place worth trying, best first, all inside the image.

    A box that is large enough has its chip above it or else within; a small one is not hidden:
    above or else below.
    """
    x1, y1, x2, y2 = box[0] - reach, box[1] - reach, box[2] + reach, box[3] + reach
    roomy = x2 - x1 >= wide and y2 - y1 >= 3 * tall
    within, below = (y1, y2 - tall), (y2,)
    for top in (y1 - tall, *(within + below if roomy else below + within)):
        for left in (x1, x2 - wide, (x1 + x2 - wide) / 2):
            x, y = round(min(max(left, 0), width - wide)), round(top)
            if x >= 0 and 0 <= y <= height - tall:
                yield x, y


def _hidden(every: NDArray[np.float64], own: int, spot: Spot, wide: int, tall: int) -> float:
    """The largest share of another box that a chip hides."""
    x1, y1, x2, y2 = every.T
    across = np.minimum(x2, spot[0] + wide) - np.maximum(x1, spot[0])
    down = np.minimum(y2, spot[1] + tall) - np.maximum(y1, spot[1])
    area = np.maximum((x2 - x1) * (y2 - y1), 1.0)
    shares = across.clip(0) * down.clip(0) / area
    shares[own] = 0.0
    return float(shares.max())


def _is_free(taken: NDArray[np.float64], spot: Spot, wide: int, tall: int) -> bool:
    x, y = spot
    x1, y1, x2, y2 = taken.T
    return not ((x1 < x + wide) & (x < x2) & (y1 < y + tall) & (y < y2)).any()
