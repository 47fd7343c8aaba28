"""Places chips at their boxes, inside the image, without overlap, and such that they hide little of
other boxes; the best boxes choose first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Box: TypeAlias = tuple[float, float, float, float]
Spot: TypeAlias = tuple[int, int]

HARMLESS_SHARE = 0.1  # of a box that any chip may hide


def place(
    boxes: Sequence[Box],
    sizes: Sequence[tuple[int, int]],
    *,
    height: int,
    width: int,
    reach: float,
    share: float,
) -> list[Spot | None]:
    """The left and top of each chip, or None if there is no room for it.

    boxes: xyxy, best first, inside the image.
    sizes: width and height of the chips, in pixels.
    reach: pixels by which the boxes' frames are larger.
    share: of the image that all chips together may cover; the first one is always placed.
    """
    all_boxes = np.array(boxes, np.float64).reshape(-1, 4)
    placed = np.zeros((len(boxes), 4))
    places: list[Spot | None] = []
    count, area_left = 0, share * height * width
    for index, (box, (wide, tall)) in enumerate(zip(boxes, sizes, strict=True)):
        spots = (
            _spots(box, wide, tall, reach, height, width)
            if not count or wide * tall <= area_left
            else ()
        )
        free = [spot for spot in spots if _is_free(placed[:count], spot, wide, tall)]
        hidden = [
            max(HARMLESS_SHARE, _largest_hidden_share(all_boxes, index, spot, wide, tall))
            for spot in free
        ]
        spot = free[hidden.index(min(hidden))] if free else None
        places.append(spot)
        if spot:
            placed[count] = (*spot, spot[0] + wide, spot[1] + tall)
            area_left -= wide * tall
            count += 1
    return places


def _spots(box: Box, wide: int, tall: int, reach: float, height: int, width: int) -> Iterator[Spot]:
    """Left and top of the places to try, best first, all inside the image.

    A chip is above its box if possible, else inside of a large box, or below a small one.
    """
    x1, y1, x2, y2 = box[0] - reach, box[1] - reach, box[2] + reach, box[3] + reach
    roomy = x2 - x1 >= wide and y2 - y1 >= 3 * tall
    within, below = (y1, y2 - tall), (y2,)
    for top in (y1 - tall, *(within + below if roomy else below + within)):
        for left in (x1, x2 - wide, (x1 + x2 - wide) / 2):
            x, y = round(min(max(left, 0), width - wide)), round(top)
            if x >= 0 and 0 <= y <= height - tall:
                yield x, y


def _largest_hidden_share(
    all_boxes: NDArray[np.float64], index: int, spot: Spot, wide: int, tall: int
) -> float:
    """The largest share of another box that a chip hides."""
    x1, y1, x2, y2 = all_boxes.T
    across = np.minimum(x2, spot[0] + wide) - np.maximum(x1, spot[0])
    down = np.minimum(y2, spot[1] + tall) - np.maximum(y1, spot[1])
    area = np.maximum((x2 - x1) * (y2 - y1), 1.0)
    shares = across.clip(0) * down.clip(0) / area
    shares[index] = 0.0
    return float(shares.max())


def _is_free(placed: NDArray[np.float64], spot: Spot, wide: int, tall: int) -> bool:
    x, y = spot
    x1, y1, x2, y2 = placed.T
    return not ((x1 < x + wide) & (x < x2) & (y1 < y + tall) & (y < y2)).any()
