"""Image ids: unique, of one type, and found again whatever type they are asked in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.data.image_ids import compact_ids, ids_of, places, rows_of_ids, unique_ids
from zoo.errors import DataError


@given(st.lists(st.integers(0, 30), min_size=1, max_size=9, unique=True), st.integers(-5, 40))
def test_an_id_that_is_not_there_is_never_taken_for_another(ids: list[int], asked: int) -> None:
    rows, known = places(np.sort(np.array(ids)), np.array([asked] * 3 + ids))
    assert known.tolist() == [asked in ids] * 3 + [True] * len(ids)
    assert np.sort(ids)[rows[3:]].tolist() == ids


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=9, unique=True))
def test_a_number_and_its_text_are_one_id(ids: list[int]) -> None:
    numbers = np.sort(np.array(ids))
    texts = np.sort(np.array(list(map(str, ids))))
    assert numbers[rows_of_ids(numbers, np.array(list(map(str, ids))), "street")].tolist() == ids
    assert texts[rows_of_ids(texts, np.array(ids), "street")].tolist() == list(map(str, ids))


@pytest.mark.parametrize("asked", [["007"], ["x"], ["1.5"], [""]])
def test_text_that_is_no_plain_number_is_no_number(asked: list[str]) -> None:
    assert places(np.array([7]), np.array(asked))[1].tolist() == [False]


def test_an_id_that_is_not_there_is_named_with_some_that_are() -> None:
    with pytest.raises(DataError, match=r"9 is not in street(.|\n)*1 of 2(.|\n)*like 1, 2, 3"):
        rows_of_ids(np.array([1, 2, 3, 4]), np.array([2, 9]), "street")
    with pytest.raises(DataError, match=r"0 ids are like \(none\)"):
        rows_of_ids(np.array([], np.int64), np.array([9]), "street")


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (np.array([1, 2, 2]), "Image 2 is listed twice"),
        (np.array(["a", "a"]), "Image a is listed twice"),
        (np.array([True]), "Its image ids are bool"),
        (np.array([1.5]), "1.5, not a whole number"),
    ],
)
def test_ids_that_can_not_be_are_named(ids: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        unique_ids(ids, "street")


def test_ids_are_listed_and_of_one_kind() -> None:
    assert ids_of(range(3), "street").tolist() == [0, 1, 2]
    assert ids_of([], "street").dtype == np.int64
    assert unique_ids(np.array([1.0, 2.0]), "street").dtype == np.int64
    for wrong in ("abc", 5):
        with pytest.raises(DataError, match="List the ids of all images"):
            ids_of(wrong, "street")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="Some image ids are numbers and some are text"):
        ids_of([1, "2"], "street")  # type: ignore[list-item]


def test_the_narrowest_type_holds_the_ids() -> None:
    assert compact_ids(np.array(["abc", "a"])[1:]).dtype == np.dtype("<U1")
    assert compact_ids(np.array([1])).dtype == np.int64
