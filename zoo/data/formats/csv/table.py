"""The rows of a CSV file as columns of text, and text as numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import DataError
from zoo.files import read_regular

DELIMITERS = ",;\t|"
_FLAGS = {"true": 1, "false": 0}


def read_table(path: Path, columns: Sequence[str] = ()) -> tuple[list[str], list[tuple[str, ...]]]:
    """The header and the columns of a file, whose delimiter is the one its first line has most of.

    columns: of a file without header. Raises: DataError naming the line that is not like the rest.
    """
    try:
        text = read_regular(path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        case = f"{getattr(error, 'strerror', None) or error}."
        raise DataError(f"'{path}' can't be read.", case, "Save it as UTF-8.") from None
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    except csv.Error as error:
        raise DataError(f"'{path}' was read.", f"It is not CSV: {error}.", "Correct it.") from None
    header = [name.strip() for name in columns or (rows.pop(0) if rows else [])]
    wrong = next((row for row in rows if len(row) != len(header)), None)
    if wrong is not None:
        number = rows.index(wrong) + (1 if columns else 2)
        case = f"Row {number} has {len(wrong)} columns, and the first {len(header)}."
        raise DataError(f"'{path}' was read.", case, "Correct that row.")
    return header, list(zip(*rows, strict=True)) if rows else [() for _ in header]


def numbers(column: Sequence[str], name: str, path: Path) -> NDArray[np.float64]:
    """Text as numbers, NaN where there is none. Raises: DataError naming the first that is none."""
    try:
        known = (text or "nan" for text in column)
        return np.fromiter(map(float, known), np.float64, len(column))
    except ValueError:
        return np.array([_number(text, row, name, path) for row, text in enumerate(column)])


def _number(text: str, row: int, name: str, path: Path) -> float:
    plain = text.strip().lower()
    if plain in _FLAGS:
        return _FLAGS[plain]
    try:
        return float(plain) if plain else np.nan
    except ValueError:
        case = f"Record [{row}] of column '{name}' is '{text:.40}', not a number."
        raise DataError(f"'{path}' was read.", case, "Correct it.") from None


def inferred(column: Sequence[str]) -> NDArray[Any]:
    """Text as what all of it is: True and False, whole numbers, numbers, or text."""
    different = set(column)
    if different and different <= {"True", "False"}:
        return np.array([text == "True" for text in column])
    for kind in (int, float):
        try:
            return np.array([kind(text) for text in column])
        except (ValueError, OverflowError):
            continue
    return np.array(column, np.str_)
