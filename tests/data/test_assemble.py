"""Data sets of what a reader has found, in any order."""

from pathlib import Path

import pytest

from zoo.data.assemble import Found
from zoo.errors import DataError
from zoo.labels import LabelSpace


def found(ids: list[str]) -> Found:
    return Found(
        name="some",
        label_space=LabelSpace.custom(["cat"]),
        ids=ids,
        files=[f"{one}.jpg" for one in ids],
        sizes=[(8, 6), (9, 7)],
        rows=[1, 0, 0],
        boxes={"label": [0, 0, 0], "box": [[0, 0, 1, 1], [2, 2, 3, 3], [4, 4, 5, 5]]},
        box_format="xyxy",
        annotations=Path("x"),
        folder=Path("x"),
        splits={"train": [0], "val": [1]},
    )


def test_everything_follows_the_order_of_the_ids() -> None:
    data = found(["b", "a"]).dataset()
    assert [(one.id, one.path.name, one.width) for one in data.images] == [
        ("a", "a.jpg", 9),
        ("b", "b.jpg", 8),
    ]
    assert data.truth.boxes[:, 0].tolist() == [0, 2, 4]
    assert [data.splits[name].images[0].id for name in ("train", "val")] == ["b", "a"]


def test_an_id_that_is_there_twice_is_named() -> None:
    with pytest.raises(DataError, match="Image a is listed twice"):
        found(["a", "a"]).dataset()
