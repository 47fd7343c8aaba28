"""Near-duplicate images: the same scene recompressed, resized, or a moment later.

An image is known by 256 bits, whether it gets brighter from one of 16 x 17 fields to the next (a
difference hash), and by these fields. Flipped, turned and cropped copies are not found.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ROWS, COLUMNS = 16, 17
BITS = 15  # of 256 that may differ; below the number of bands, so that one band is the same in both
BANDS = 16
GREY = 6.0  # mean difference of fields, of 255, that may be left
_STEP = 2  # grey levels that noise may take
_CROWDED = 64  # images of one band of bits; more say little, as of sky or black frames
_NEXT = 8  # of a crowd that each is compared with
_BLOCK = 1 << 16  # pairs at a time


def difference_bits(fields: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(n, 16, 17) grey fields to (n, 32) packed bits."""
    brighter = np.diff(fields.astype(np.int16), axis=2) > _STEP  # (n, 16, 16)
    return np.packbits(brighter.reshape(len(fields), -1), axis=1)


def near_duplicates(fields: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Pairs of positions that are nearly the same, the lower first. fields: (n, 16, 17) grey."""
    if not len(fields):
        return []
    bits = difference_bits(fields)
    count = len(fields)
    pairs = [np.zeros(0, np.int64)]
    for band in bits.view(np.uint16).T:  # (n,) one of 16 parts of the bits
        first, second = _candidates(band)
        for start in range(0, len(first), _BLOCK):
            some = slice(start, start + _BLOCK)
            pairs.append(_close(first[some], second[some], bits, fields))
        pairs = [np.unique(np.concatenate(pairs))]
    return [divmod(pair, count) for pair in pairs[0].tolist()]


def _candidates(band: NDArray[np.uint16]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of positions with one value, the lower first; in a crowd, each with its next few."""
    order = np.argsort(band, kind="stable")
    ends = [*(np.flatnonzero(np.diff(band[order])) + 1).tolist(), len(order)]
    pairs: list[NDArray[np.int64]] = []
    start = 0
    for end in ends:
        members = order[start:end]
        start = end
        most = len(members) if len(members) <= _CROWDED else _NEXT + 1
        pairs += [np.stack([members[:-step], members[step:]]) for step in range(1, most)]
    first, second = np.concatenate([np.zeros((2, 0), np.int64), *pairs], axis=1)
    return first, second


def _close(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    bits: NDArray[np.uint8],
    fields: NDArray[np.uint8],
) -> NDArray[np.int64]:
    """Those of the pairs that are nearly the same, each as one number."""
    apart = np.bitwise_count(bits[first] ^ bits[second]).sum(axis=1, dtype=np.int64)
    first, second = first[apart <= BITS], second[apart <= BITS]
    away = np.abs(fields[first].astype(np.int16) - fields[second]).mean(axis=(1, 2))
    pairs: NDArray[np.int64] = (first * len(fields) + second)[away <= GREY]
    return pairs


def groups_of(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Pairs as groups of positions that hang together."""
    group_of: dict[int, list[int]] = {}
    for pair in pairs:
        members, other = (group_of.setdefault(row, [row]) for row in pair)
        if members is not other:
            members += other
            for row in other:
                group_of[row] = members
    unique = {id(group): sorted(group) for group in group_of.values()}
    return sorted(unique.values())


def all_pairs(group: Sequence[int]) -> list[tuple[int, int]]:
    """Every pair of a group."""
    return list(itertools.combinations(group, 2))
