"""Near-duplicate images: the same scene recompressed, resized, or a moment later.

Images are compared by 256 bits, which say whether each of 16 x 17 gray fields is followed by a
brighter one (a difference hash), and by these fields. Flipped, turned and cropped copies are not
found.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ROWS, COLUMNS = 16, 17
# Bits of 256 that may differ: fewer than the 16 bands, so that one band is the same in both images.
MAX_DIFFERENT_BITS = 15
MAX_GRAY_DIFFERENCE = 6.0  # mean over the fields, of 255
_NOISE = 2  # gray levels by which neighboring fields may differ and count as equal
# If more images have one band in common, as skies and black frames do, each is compared with the
# next few alone.
_CROWD = 64
_NEIGHBORS = 8
_PAIRS_PER_BLOCK = 1 << 16


def difference_bits(fields: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The difference hashes: (n, 16, 17) gray fields to (n, 32) packed bits."""
    brighter = np.diff(fields.astype(np.int16), axis=2) > _NOISE  # (n, 16, 16)
    return np.packbits(brighter.reshape(len(fields), -1), axis=1)


def near_duplicates(fields: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Pairs of positions of images that look the same, the lower first.

    fields: (n, 16, 17) gray.
    """
    if not len(fields):
        return []
    bits = difference_bits(fields)
    count = len(fields)
    pairs = [np.zeros(0, np.int64)]
    for band in bits.view(np.uint16).T:  # (n,) 16 of the 256 bits
        first, second = _candidates(band)
        for start in range(0, len(first), _PAIRS_PER_BLOCK):
            block = slice(start, start + _PAIRS_PER_BLOCK)
            pairs.append(_close(first[block], second[block], bits, fields))
        pairs = [np.unique(np.concatenate(pairs))]
    return [divmod(pair, count) for pair in pairs[0].tolist()]


def _candidates(band: NDArray[np.uint16]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of positions with the same value, the lower first; in a crowd, of neighbors alone."""
    order = np.argsort(band, kind="stable")
    ends = [*(np.flatnonzero(np.diff(band[order])) + 1).tolist(), len(order)]
    pairs: list[NDArray[np.int64]] = []
    start = 0
    for end in ends:
        members = order[start:end]
        start = end
        steps = len(members) if len(members) <= _CROWD else _NEIGHBORS + 1
        pairs += [np.stack([members[:-step], members[step:]]) for step in range(1, steps)]
    first, second = np.concatenate([np.zeros((2, 0), np.int64), *pairs], axis=1)
    return first, second


def _close(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    bits: NDArray[np.uint8],
    fields: NDArray[np.uint8],
) -> NDArray[np.int64]:
    """The pairs that look the same, each as one number, `first * n + second`."""
    apart = np.bitwise_count(bits[first] ^ bits[second]).sum(axis=1, dtype=np.int64)
    close = apart <= MAX_DIFFERENT_BITS
    first, second = first[close], second[close]
    difference = np.abs(fields[first].astype(np.int16) - fields[second]).mean(axis=(1, 2))
    pairs: NDArray[np.int64] = (first * len(fields) + second)[difference <= MAX_GRAY_DIFFERENCE]
    return pairs


def groups_of(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The connected groups of positions that pairs make."""
    group_of: dict[int, list[int]] = {}
    for pair in pairs:
        members, other = (group_of.setdefault(row, [row]) for row in pair)
        if members is not other:
            members += other
            for row in other:
                group_of[row] = members
    unique = {id(group): sorted(group) for group in group_of.values()}
    return sorted(unique.values())
