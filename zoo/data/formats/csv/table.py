"""The rows of a CSV file as columns of text, and text as numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import DataError
from zoo.files import read_regular

BLOCK = 1 << 16  # rows that are looked at together
DELIMITERS = ",;\t|"
_FLAGS = {"true": 1, "false": 0}


def read_table(path: Path, columns: Sequence[str] = ()) -> tuple[list[str], list[list[str]]]:
    """The header and the columns of a file, whose delimiter is the one its first line has most of.

    columns: of a file without header. Raises: DataError naming the line that is not like the rest.
    """
    try:
        content = read_regular(path)
        first = content.partition(b"\n")[0].decode("utf-8-sig")
        text = io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", newline="")
        rows = filter(None, csv.reader(text, delimiter=max(DELIMITERS, key=first.count)))
        header = [name.strip() for name in columns or next(rows, [])]
        return header, _columns(rows, len(header), path, start=1 if columns else 2)
    except (OSError, UnicodeDecodeError) as error:
        case = f"{getattr(error, 'strerror', None) or error}."
        raise DataError(f"'{path}' can't be read.", case, "Save it as UTF-8.") from None
    except csv.Error as error:
        raise DataError(f"'{path}' was read.", f"It is not CSV: {error}.", "Correct it.") from None


def _columns(rows: Iterator[list[str]], width: int, path: Path, *, start: int) -> list[list[str]]:
    """Rows as columns, in which a text that is there often is one object. Raises: DataError naming
    the first row of another width; the first of all has the number `start`."""
    columns: list[list[str]] = [[] for _ in range(width)]
    interned: list[dict[str, str]] = [{} for _ in range(width)]
    while block := list(islice(rows, BLOCK)):
        wrong = next((row for row in block if len(row) != width), None)
        if wrong is not None:
            number = len(columns[0]) + block.index(wrong) + start if columns else start
            case = f"Row {number} has {len(wrong)} columns, and the first {width}."
            raise DataError(f"'{path}' was read.", case, "Correct that row.")
        for column, texts, values in zip(columns, interned, zip(*block, strict=True), strict=True):
            if len(set(values)) * 2 < len(values):
                column += [texts.setdefault(value, value) for value in values]
            else:
                column += values
    return columns


def numbers(column: Sequence[str], name: str, path: Path) -> NDArray[np.float64]:
    """Text as numbers, NaN where there is none. Raises: DataError naming the first that is none."""
    try:
        texts = (text or "nan" for text in column)
        return np.fromiter(map(float, texts), np.float64, len(column))
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


def typed_column(column: Sequence[str]) -> NDArray[Any]:
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
