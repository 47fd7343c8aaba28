"""Rows of images with their boxes, gathered batch by batch into plain columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.columns import plain
from zoo.data.formats.hub.columns import SIZES, BoxColumns
from zoo.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_NUMBERS = 4  # of a box
_MAX_LETTERS_SHOWN = 80  # letters of a value that a message repeats


@dataclass
class Rows:
    """The rows so far: a value for each image, and flat columns of boxes.

    address: of the data set, for messages.
    """

    columns: BoxColumns
    address: str
    count: int = 0
    _images: dict[str, list[Any]] = field(default_factory=dict)
    _boxes: dict[str, list[NDArray[Any]]] = field(default_factory=dict)
    _counts: list[NDArray[np.int64]] = field(default_factory=list)

    def add(self, batch: pa.RecordBatch, where: str, columns: BoxColumns) -> None:
        """Adds the rows of a batch. where: the file, for messages. columns: its names of the same
        columns. Raises: DataError."""
        failure = f"'{where}' of {self.address} was read."
        objects = _column(batch, columns.objects) if columns.objects else None
        parts: dict[str, tuple[NDArray[np.int64] | None, pa.Array]] = {}
        for name in columns.of_boxes:
            column = _column(batch, name) if objects is None else objects
            parts[name] = _lists(column, None if objects is None else name)
        counts = parts[columns.boxes][0]
        if counts is None:
            raise DataError(failure, f"Its column '{columns.boxes}' has no lists.", "Name another.")
        for name, (lengths, values) in parts.items():
            if lengths is not None and np.array_equal(lengths, counts):
                self._add_boxes(name, values, failure, columns)
            elif name not in columns.others:
                raise self._unequal(failure, name, lengths, counts)
        self._counts.append(counts)
        self._add_images(batch)
        self.count += len(batch)

    def _add_boxes(self, name: str, values: pa.Array, failure: str, columns: BoxColumns) -> None:
        read = _boxes if name == columns.boxes else _plain
        try:
            self._boxes.setdefault(name, []).append(read(values))
        except (ValueError, TypeError) as error:
            if name in columns.others:  # as polygons, which no column of numbers holds
                return
            first = str(error).partition("\n")[0][:_MAX_LETTERS_SHOWN].rstrip(".")
            fix = f"Name another: ,{'boxes' if name == columns.boxes else 'labels'}=COLUMN"
            raise DataError(failure, f"Its column '{name}' can't be: {first}.", fix) from None

    def _add_images(self, batch: pa.RecordBatch) -> None:
        used = self.columns.not_of_images
        for name in batch.schema.names:
            if name in (*SIZES, self.columns.image_id) or (
                name not in used and _is_plain(batch, name)
            ):
                before = [None] * (self.count - len(self._images.get(name, ())))
                self._images.setdefault(name, []).extend([*before, *batch.column(name).to_pylist()])

    def _unequal(
        self, failure: str, name: str, lengths: NDArray[np.int64] | None, counts: NDArray[np.int64]
    ) -> DataError:
        if lengths is None:
            return DataError(failure, f"Its column '{name}' has no list.", "Name another column.")
        row = int(np.flatnonzero(lengths != counts)[0])
        case = f"Row {self.count + row} has {counts[row]} boxes and {lengths[row]} of '{name}'."
        return DataError(failure, case, "Give every box one of each.")

    @property
    def rows(self) -> NDArray[np.int64]:
        """(n,) the image of each box."""
        counts = np.concatenate([np.zeros(0, np.int64), *self._counts])
        return np.repeat(np.arange(len(counts)), counts)

    def boxes(self, name: str) -> NDArray[Any] | None:
        """A column of boxes; None where there is none, or not in all files."""
        parts = self._boxes.get(name, [])
        if not name or len(parts) != len(self._counts):
            return None
        kinds = {part.dtype.kind for part in parts if len(part)}
        if len(kinds) > 1 and ("U" in kinds or "O" in kinds):
            parts = [part.astype(np.str_) for part in parts]
        return np.concatenate([part for part in parts if len(part)] or parts[:1] or [np.zeros(0)])

    def of_images(self, name: str) -> list[Any]:
        """A column of images, None where a file says nothing."""
        values = self._images.get(name, [])
        return [*values, *[None] * (self.count - len(values))]

    @property
    def image_names(self) -> Sequence[str]:
        """The columns of images that are there."""
        return list(self._images)


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    """A column; one without anything where there is none."""
    import pyarrow as pa

    at = batch.schema.get_field_index(name)
    return batch.column(at) if at >= 0 else pa.nulls(len(batch))


def _lists(column: pa.Array, name: str | None) -> tuple[NDArray[np.int64] | None, pa.Array]:
    """The number of values of each row, and all of them. name: the field, of a struct of lists
    or of a list of structs."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_null(column.type):
        return np.zeros(len(column), np.int64), pa.nulls(0)
    if name is not None and pa.types.is_struct(column.type):
        column, name = pc.struct_field(column, name), None
    if not (
        pa.types.is_list(column.type)
        or pa.types.is_large_list(column.type)
        or pa.types.is_fixed_size_list(column.type)
        or pa.types.is_null(column.type)
    ):
        return None, column
    if pa.types.is_null(column.type):
        return np.zeros(len(column), np.int64), pa.nulls(0)
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    values = pc.list_flatten(column)
    if name is not None and not pa.types.is_null(values.type):
        values = pc.struct_field(values, name)
    return lengths.astype(np.int64), values


def _boxes(values: pa.Array) -> NDArray[np.float64]:
    """(n, 4) of lists of four numbers, NaN for nothing. Raises: ValueError."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(values):
        return np.zeros((0, _NUMBERS))
    if pa.types.is_struct(values.type) and values.type.num_fields == _NUMBERS:
        parts = [_numbers(pc.struct_field(values, at)) for at in range(_NUMBERS)]
        return np.stack(parts, axis=1)
    lengths, numbers = _lists(values, None)
    if lengths is None:
        raise ValueError(f"a box is {values.type}, not four numbers")
    boxes = np.full((len(values), _NUMBERS), np.nan)
    if (wrong := (lengths != _NUMBERS) & (lengths != 0)).any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"box {row} has {lengths[row]} numbers, not four")
    boxes[lengths == _NUMBERS] = _numbers(numbers).reshape(-1, _NUMBERS)
    return boxes


def _numbers(values: pa.Array) -> NDArray[np.float64]:
    import pyarrow as pa

    numbers: NDArray[np.float64] = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return numbers


def _plain(values: pa.Array) -> NDArray[Any]:
    """Numbers or text as an array, None as NaN. Raises: ValueError for lists of other things."""
    import pyarrow as pa

    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_null(values.type):
        return np.full(len(values), np.nan)
    if pa.types.is_nested(values.type):
        raise ValueError(f"a value of a box is {values.type}")
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return np.array(values.to_pylist(), np.str_) if not values.null_count else _texts(values)
    array = plain(values.to_numpy(zero_copy_only=False))
    return array.astype(np.float64) if array.dtype.kind == "O" else array


def _texts(values: pa.Array) -> NDArray[Any]:
    return np.array([text or "" for text in values.to_pylist()], np.str_)


def _is_plain(batch: pa.RecordBatch, name: str) -> bool:
    import pyarrow.types as types

    kind = batch.schema.field(name).type
    return not (types.is_nested(kind) or types.is_binary(kind) or types.is_large_binary(kind))
