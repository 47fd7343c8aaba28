"""Image ids: unique, of one type, and the rows that given ids stand at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.data.columns import plain, wholes
from zoo.data.values import whole
from zoo.errors import DataError
from zoo.text import pluralize

_SPARSE = 16  # ids a table may have room for, of each that is there


_FEW = 512  # ids of a batch, which are looked up without more ado


def rows_of_ids(image_ids: NDArray[Any], requested: NDArray[Any], name: str) -> NDArray[np.int64]:
    """The row of each asked id in the ascending `image_ids`. Raises: DataError naming the first
    that is not there."""
    if (
        0 < len(requested) <= min(_FEW, len(image_ids))
        and requested.dtype.kind == image_ids.dtype.kind
        and requested.ndim == 1
    ):
        rows = np.minimum(np.searchsorted(image_ids, requested), len(image_ids) - 1)
        if (image_ids[rows] == requested).all():
            return rows
    rows, exist = places(image_ids, requested)
    if not exist.all():
        first = requested[~exist][0]
        some = ", ".join(repr(image_id) for image_id in image_ids[:3].tolist())
        raise DataError(
            f"Image {first.item() if isinstance(first, np.generic) else first!r} is not in {name}.",
            f"{exist.sum():,} of {pluralize(len(exist), 'image')} are; its {len(image_ids)} ids "
            f"are like {some or '(none)'}.",
            "Name the data set that these are of, or use the ids of this one.",
        )
    return rows


def places(
    image_ids: NDArray[Any], requested: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The row of each asked id in the ascending `image_ids`, and whether it is there. A number and
    its text are one id."""
    requested = requested if len(requested) else requested.astype(image_ids.dtype)
    if requested.ndim != 1 or not len(image_ids) or not len(requested):
        return np.zeros(len(requested), np.int64), np.zeros(len(requested), bool)
    changes = requested[1:] != requested[:-1]  # results come image by image: each is looked up once
    first = np.flatnonzero(np.concatenate([[True], changes]))
    ids, fits = _in_their_type(requested[first], image_ids.dtype.kind)
    rows = _rows(image_ids, ids)
    exist = fits & (image_ids[rows] == ids)
    counts = np.diff(first, append=len(requested))
    return np.repeat(rows, counts), np.repeat(exist, counts)


def _rows(image_ids: NDArray[Any], requested: NDArray[Any]) -> NDArray[np.int64]:
    """Where each asked id is among the ascending `image_ids`, or some row where it is not there."""
    last = len(image_ids) - 1
    if image_ids.dtype.kind != "U" and len(requested) > last:
        span = int(image_ids[-1]) - int(image_ids[0])
        if span <= _SPARSE * last:  # a table, ten times as fast
            table = np.zeros(span + 1, np.int64)
            table[image_ids - image_ids[0]] = np.arange(last + 1)
            near = np.clip(requested, image_ids[0], image_ids[-1])
            rows: NDArray[np.int64] = table[near - image_ids[0]]
            return rows
    return np.minimum(np.searchsorted(image_ids, requested), last)


def _in_their_type(requested: NDArray[Any], kind: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Ids as numbers or as text, as those of the data set are, and which of them can be."""
    fits = np.ones(len(requested), bool)
    if requested.dtype.kind == kind:
        return requested, fits
    numbers = [whole(value) for value in requested.tolist()]
    fits = np.array([value is not None for value in numbers], bool)
    if kind == "U":
        return np.array([str(value) for value in numbers], np.str_), fits
    return np.array([value or 0 for value in numbers], np.int64), fits


def column_of(values: ArrayLike, description: str, name: str) -> NDArray[Any]:
    try:
        return plain(values)
    except ValueError:  # what numpy says of rows of several lengths
        raise DataError(
            f"{name} was read.",
            f"The rows of {description} have several lengths.",
            "Give every row as many numbers as the others.",
        ) from None


def ids_of(images: Iterable[int] | Iterable[str], name: str) -> NDArray[Any]:
    if isinstance(images, str) or not isinstance(images, Iterable):
        raise DataError(
            f"{name} was read.", f"Its images are {images!r}.", "List the ids of all images."
        )
    ids: list[Any] = list(images)
    if len({isinstance(image_id, str) for image_id in ids}) > 1:
        raise DataError(
            f"{name} was read.",
            "Some image ids are numbers and some are text.",
            "Give every image the same kind.",
        )
    column = column_of(ids, "the image ids", name)
    return column if len(column) else column.astype(np.int64)


def unique_ids(ids: NDArray[Any], name: str) -> NDArray[Any]:
    """Image ids as int64 or str. Raises: DataError for another type, or an id that is there
    twice."""
    if ids.dtype.kind == "f":
        ids = wholes(ids, "id of the images", name)
    if ids.dtype.kind not in "iuU":
        raise DataError(
            f"{name} was read.",
            f"Its image ids are {ids.dtype}, not whole numbers or text.",
            "Give every image such an id.",
        )
    if (ids[1:] == ids[:-1]).any():
        twice = ids[1:][ids[1:] == ids[:-1]][0]
        raise DataError(
            f"{name} was read.", f"Image {twice} is listed twice.", "List every image once."
        )
    return ids if ids.dtype.kind == "U" else ids.astype(np.int64)


def compact_ids(ids: NDArray[Any]) -> NDArray[Any]:
    """The ids in the narrowest type that holds them: a fingerprint has the type in it."""
    return np.array(ids.tolist(), np.str_) if ids.dtype.kind == "U" else ids
