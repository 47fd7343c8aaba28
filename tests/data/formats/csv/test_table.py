"""CSV files as columns."""

from pathlib import Path

import numpy as np
import pytest

from zoo.data.formats.csv.table import numbers, read_table, typed_column
from zoo.errors import DataError


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_of_the_first_line(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("\ufeffa,b\r\n1,2\r\n\r\n3,4\r\n".replace(",", delimiter).encode())
    assert read_table(path) == (["a", "b"], [["1", "3"], ["2", "4"]])
    assert read_table(path, ["x", "y"])[1][0] == ["a", "1", "3"]


def test_a_row_that_is_not_like_the_rest_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n1,2,3\n")
    with pytest.raises(DataError, match="Row 3 has 3 columns, and the first 2"):
        read_table(path)
    path.write_bytes(b"a\n\xff")
    with pytest.raises(DataError, match="Save it as UTF-8"):
        read_table(path)


def test_text_becomes_what_all_of_it_is(tmp_path: Path) -> None:
    assert typed_column(["True", "False"]).dtype == bool
    assert typed_column(["1", "2"]).dtype == np.int64
    assert typed_column(["1", "2.5"]).dtype == np.float64
    assert typed_column(["1", "b"]).tolist() == ["1", "b"]
    np.testing.assert_array_equal(numbers(["1", "", "true"], "x", tmp_path), [1, np.nan, 1])
    with pytest.raises(DataError, match=r"Record \[1\] of column 'x' is '1,5', not a number"):
        numbers(["1", "1,5"], "x", tmp_path)
