"""Ground truth from tables: rows in any order come out in one, and what can't be is named."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import DataError
from zoo.evaluate import GroundTruth

TABLE: dict[str, Any] = {
    "image": [7, 3, 7],
    "label": [1, 0, 0],
    "box": [[0, 0, 4, 4], [1, 1, 2, 2], [5, 5, 9, 6]],
}


def test_rows_come_out_by_image_and_class_and_bring_their_columns() -> None:
    truth = GroundTruth.of(
        {"id": [7, 3], "dark": [True, False]},
        {**TABLE, "id": [1, 2, 3], "far": ["a", "b", "c"]},
        label_space=["cat", "dog"],
    )
    assert truth.image_ids.tolist() == [3, 7]
    assert truth.image_attributes["dark"].tolist() == [False, True]
    assert truth.ids.tolist() == [2, 3, 1]
    assert truth.box_attributes["far"].tolist() == ["b", "c", "a"]
    assert truth.xywh.tolist() == [[1, 1, 1, 1], [5, 5, 4, 1], [0, 0, 4, 4]]
    assert truth.areas.tolist() == [1, 4, 16]
    assert truth.starts.tolist() == [0, 1, 3]


def test_the_fingerprint_holds_everything_that_moves_a_number() -> None:
    tables = TABLE, {**TABLE, "crowd": [1, 0, 0]}, {**TABLE, "area": [9, 9, 9]}
    spaces = ["cat", "dog"], ["cat", "bird"]
    prints = {
        GroundTruth.of([3, 7], table, label_space=label_space).sha256
        for table in tables
        for label_space in spaces
    }
    assert len(prints) == 6
    assert GroundTruth.of([7, 3], TABLE, label_space=["cat", "dog"], name="other").sha256 in prints


def test_images_are_listed_once() -> None:
    with pytest.raises(DataError, match="Image 3 is listed twice"):
        GroundTruth.of([3, 7, 3], TABLE, label_space=["cat", "dog"])


def test_columns_that_are_not_in_order_are_refused() -> None:
    truth = GroundTruth.of([3, 7], TABLE, label_space=["cat", "dog"])
    columns = {**vars(truth), "images": truth.images[::-1]}
    with pytest.raises(ValueError, match=r"use GroundTruth\.of"):
        GroundTruth(**{name: columns[name] for name in GroundTruth.__dataclass_fields__})


def test_ids_are_all_numbers_or_all_text() -> None:
    with pytest.raises(DataError, match="Some image ids are numbers and some are text"):
        GroundTruth.of([3, "7"], TABLE, label_space=["cat", "dog"])  # type: ignore[list-item]


@given(
    st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=9, unique=True)
    | st.lists(st.integers(0, 20), min_size=1, max_size=9, unique=True),
    st.data(),
)
def test_boxes_are_found_by_any_ids_and_keep_their_order_within_image_and_class(
    ids: list[int], data: st.DataObject
) -> None:
    places = data.draw(st.lists(st.tuples(st.sampled_from(ids), st.integers(0, 2)), max_size=40))
    table = {
        "image": np.array([image for image, _ in places], np.int64),
        "label": np.array([label for _, label in places], np.int64),
        "box": np.ones((len(places), 4)),
    }
    truth = GroundTruth.of(ids, table, label_space=["a", "b", "c"])
    numbered = [(image, label, number) for number, (image, label) in enumerate(places, start=1)]
    found = zip(
        truth.image_ids[truth.images].tolist(),
        truth.labels.tolist(),
        truth.ids.tolist(),
        strict=True,
    )
    assert list(found) == sorted(numbered)
