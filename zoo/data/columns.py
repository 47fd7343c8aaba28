"""Columns as people have them (lists, numpy, pandas, tensors) as plain arrays of numbers or
text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.values import UNKNOWN, flag, whole
from zoo.errors import DataError

_OTHER_FLOATS = ("bfloat16", "float8")  # of torch, and not of numpy


def columns_of(table: object) -> Mapping[str, Any] | None:
    """The columns of a mapping or of a data frame; None for anything else."""
    if isinstance(table, Mapping):
        return table
    if hasattr(table, "columns") and hasattr(table, "items"):
        return {str(name): column for name, column in table.items()}
    return None


def plain(values: Any) -> NDArray[Any]:
    """An array of numbers or text. Tensors may be on a device, have gradients, or be of a type that
    numpy lacks.

    Raises: ValueError for rows of several lengths.
    """
    if hasattr(values, "detach"):
        values = values.detach()
        wide = any(kind in str(values.dtype) for kind in _OTHER_FLOATS)
        array: NDArray[Any] = (values.float() if wide else values).cpu().numpy()
        return array
    if isinstance(values, list | tuple) and any(hasattr(value, "detach") for value in values):
        return np.array([plain(value) for value in values])
    array = np.asarray(values)
    if array.dtype.kind == "T":  # text of variable width
        return array.astype(np.str_)
    return _without_objects(array) if array.dtype.kind == "O" else array


def _without_objects(array: NDArray[Any]) -> NDArray[Any]:
    """Objects as what they are: pandas keeps text, and columns with gaps, as objects."""
    values = array.ravel().tolist()
    if any(isinstance(value, str) for value in values):
        if not all(isinstance(value, str) for value in values):
            return array
        return np.array(values, np.str_).reshape(array.shape)
    if any(isinstance(value, list | tuple | np.ndarray) for value in values):
        return plain([plain(value) for value in values])  # a box a cell
    numbers = [np.nan if value is None else value for value in values]
    column = np.array(numbers) if numbers else np.zeros(0)
    return array if column.dtype.kind == "O" else column.reshape(array.shape)


def wholes(column: NDArray[Any], column_name: str, name: str) -> NDArray[np.int64]:
    """Whole numbers that may be written as 3.0 or "3". Raises: DataError naming the first that is
    none."""
    if column.dtype.kind in "iu" or not len(column):
        return column.astype(np.int64)
    return _parse(column, column_name, name, whole, "a whole number")


def flags(column: NDArray[Any], name: str) -> NDArray[np.int64]:
    """0 or 1, where nothing and -1 are unknown and count as 0. Raises: DataError naming the first
    that is neither."""
    if column.dtype.kind == "b" or not len(column):
        return column.astype(np.int64)
    return _parse(column, "crowd", name, flag, "True or False, or 1 or 0")


def identities(column: NDArray[Any], name: str) -> NDArray[np.int64]:
    """Annotation ids; an unknown one (nothing, -1) becomes a number that no other has.

    Raises: DataError naming the first that is not a whole number.
    """
    if column.dtype.kind == "f":
        column = np.where(np.isnan(column), UNKNOWN, column)
    ids = wholes(column, "id", name)
    unknown = ids == UNKNOWN
    if not unknown.any():
        return ids
    return np.where(unknown, max(int(ids.max()), 0) + np.cumsum(unknown), ids)


def areas(
    column: NDArray[Any], boxes: NDArray[np.float64], name: str
) -> tuple[NDArray[np.float64], int]:
    """Areas, where an unknown one (nothing, -1) is the box's own, and how many those are.

    Raises: DataError for a column that holds no numbers.
    """
    if len(column) and column.dtype.kind not in "iuf":
        raise _wrong_value(column, 0, "area", name, "a number, pixels²")
    numbers = column.astype(np.float64)
    unknown = np.isnan(numbers) | (numbers == UNKNOWN)
    return np.where(unknown, boxes[:, 2] * boxes[:, 3], numbers), int(unknown.sum())


def _parse(
    column: NDArray[Any],
    column_name: str,
    name: str,
    parse: Callable[[object], int | None],
    expected: str,
) -> NDArray[np.int64]:
    different, where = (
        np.unique(column, return_inverse=True)
        if column.dtype.kind != "O"
        else (column, np.arange(len(column)))
    )
    numbers = [parse(value) for value in different.tolist()]
    if None in numbers:
        wrong = numbers.index(None)
        raise _wrong_value(
            column, int(np.flatnonzero(where.ravel() == wrong)[0]), column_name, name, expected
        )
    return np.array(numbers, np.int64)[where.ravel()]


def _wrong_value(
    column: NDArray[Any], row: int, column_name: str, name: str, expected: str
) -> DataError:
    value = column[row : row + 1].tolist()[0]
    case = f"Record [{row}] of column '{column_name}' is {value!r:.60}, not {expected}."
    return DataError(f"{name} was read.", case, f"Give {expected} in every row.")
