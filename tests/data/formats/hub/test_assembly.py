"""Gathered rows as a data set: ids, classes and what else is said of images and boxes."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from zoo.data import Dataset, check, read
from zoo.errors import DataError

LABELS = """---
dataset_info:
  features:
  - name: objects
    struct:
    - name: category
      list:
        class_label:
          names:
            '0': cat
            '1': dog
            '2': Fish
---
"""


def encoded() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30)).save(stream, "PNG")
    return stream.getvalue()


def data_of(folder: Path, splits: dict[str, list[dict[str, Any]]], options: str = "") -> Dataset:
    """Parquet files of these rows, each of which gets an image."""
    folder.mkdir(exist_ok=True)
    image = {"bytes": encoded(), "path": "a.png"}
    for split, rows in splits.items():
        table = pa.Table.from_pylist([{"image": image, **row} for row in rows])
        pq.write_table(table, folder / f"{split}.parquet")
    return read(f"hub-folder:{folder}{options}")


def of_class(*classes: Any, **others: Any) -> dict[str, Any]:
    boxes = [[1.0 + at, 2, 3, 4] for at in range(len(classes))]
    return {"objects": {"bbox": boxes, "category": list(classes), **others}}


def names_of(data: Dataset) -> list[str]:
    """The class of each box, from left to right."""
    order = np.lexsort((data.truth.boxes[:, 0], data.truth.images))
    return [data.label_space.names[label] for label in data.truth.labels[order]]


def test_classes_that_only_the_readme_names_whatever_form_the_labels_have(tmp_path: Path) -> None:
    for folder, rows in (
        ("numbers", [of_class(2, 0)]),
        ("floats", [of_class(2.0, 0.0)]),
        ("texts", [of_class("Fish", "cat")]),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "README.md").write_text(LABELS)
        data = data_of(tmp_path / folder, {"train": rows})
        assert data.label_space.names == ("cat", "dog", "Fish")  # the one without a box as well
        assert names_of(data) == ["Fish", "cat"]
        assert not any("called" in note for note in data.notes)


def test_the_readme_names_classes_of_an_image_folder_too(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(LABELS)
    (tmp_path / "a.png").write_bytes(encoded())
    row = {"file_name": "a.png", **of_class(1, 1)}
    (tmp_path / "metadata.jsonl").write_text(json.dumps(row))
    assert names_of(read(f"hub-folder:{tmp_path}")) == ["dog", "dog"]


def test_a_class_that_the_readme_does_not_know_is_an_error_and_a_finding(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(LABELS)
    with pytest.raises(DataError, match=r"of class 3, which has no name; there are cat, dog, Fish"):
        data_of(tmp_path, {"train": [of_class(3, 0)]})
    found = check(f"hub-folder:{tmp_path}", show=False)
    assert found.counts["unknown_class"] == 1
    assert names_of(found.dataset) == ["cat"]


def test_a_person_names_the_classes_and_else_they_are_numbers_and_that_is_said(
    tmp_path: Path,
) -> None:
    data = data_of(tmp_path, {"train": [of_class(7, 3)]})
    assert data.label_space.names == ("3", "7")
    assert any("they are their numbers. ,names=A|B|C" in note for note in data.notes)
    assert names_of(read(f"hub-folder:{tmp_path},names=a|b|c|d|e|f|g|h")) == ["h", "d"]
    with pytest.raises(DataError, match=r"of class 3, which has no name; there are a, b\."):
        read(f"hub-folder:{tmp_path},names=a|b")


def test_texts_are_classes_in_the_order_of_the_alphabet(tmp_path: Path) -> None:
    data = data_of(tmp_path, {"train": [of_class("zebra", " ant "), of_class("ant")]})
    assert data.label_space.names == ("ant", "zebra")
    assert names_of(data) == ["zebra", "ant", "ant"]


def test_without_a_box_the_classes_have_to_be_said(tmp_path: Path) -> None:
    rows = {"train": [of_class()]}
    with pytest.raises(DataError, match=r"has no box(.|\n)*,names=A\|B\|C"):
        data_of(tmp_path, rows)
    assert data_of(tmp_path, rows, ",names=a").label_space.names == ("a",)


def test_ids_of_images_from_whatever_tells_them_apart(tmp_path: Path) -> None:
    def ids(folder: str, rows: dict[str, list[dict[str, Any]]], options: str = "") -> list[Any]:
        data = data_of(tmp_path / folder, rows, options)
        return data.truth.image_ids.tolist()

    one = of_class(0)
    assert ids("numbers", {"train": [{"image_id": 9, **one}, {"image_id": 4, **one}]}) == [4, 9]
    assert ids("texts", {"train": [{"image_id": "b", **one}]}) == ["b"]
    twice = {split: [{"image_id": 1, **one}, {"image_id": 2, **one}] for split in ("train", "test")}
    assert ids("twice", twice) == ["test/1", "test/2", "train/1", "train/2"]
    missing = {"train": [{"image_id": None, **one}, {"image_id": 3, **one}]}
    assert ids("missing", missing) == ["train/00000000", "train/00000001"]
    with pytest.raises(DataError, match=r"'image_id' has no ids(.|\n)*Leave id= out"):
        ids("missing", missing, ",id=image_id")


def test_sizes_are_those_of_the_files_where_nothing_says_them(tmp_path: Path) -> None:
    rows = {"train": [{"width": 40, "height": 30, **of_class(0)}, of_class(0)]}
    assert data_of(tmp_path, rows).sizes.tolist() == [[40, 30], [40, 30]]


def test_areas_crowds_ids_and_attributes(tmp_path: Path) -> None:
    first = of_class(0, 1, area=[5.0, 6.0], iscrowd=[0, 1], id=[8, 9], difficult=[True, False])
    rows = {"train": [{"site": "north", "note": None, **first}]}
    truth = data_of(tmp_path, rows).truth
    assert truth.areas.tolist() == [5, 6]
    assert truth.crowd.tolist() == [False, True]
    assert truth.ids.tolist() == [8, 9]
    assert truth.box_attributes["difficult"].tolist() == [True, False]
    assert truth.image_attributes["site"].tolist() == ["north"]
    assert "note" not in truth.image_attributes
    again = of_class(0, 1, area=[5.0, 6.0], iscrowd=[0, 1], id=[8, 8])
    assert len(set(data_of(tmp_path, {"train": [again]}).truth.ids.tolist())) == 2


def test_areas_and_crowds_that_are_columns_of_their_own(tmp_path: Path) -> None:
    row = {"bbox": [[1.0, 2, 3, 4]], "label": ["a"], "area": [5.0], "iscrowd": [True]}
    truth = data_of(tmp_path, {"train": [row]}).truth
    assert truth.areas.tolist() == [5]
    assert truth.crowd.tolist() == [True]


def test_fractions_become_pixels(tmp_path: Path) -> None:
    row = {"objects": {"bbox": [[0.5, 0.5, 0.5, 0.2]] * 3, "category": ["a"] * 3}}
    data = data_of(tmp_path, {"train": [row]})
    assert data.truth.boxes[0].tolist() == [10, 12, 30, 18]
    assert any("centre, width, height in fractions" in note for note in data.notes)


def test_fractions_of_an_image_that_nobody_can_read(tmp_path: Path) -> None:
    row = {"objects": {"bbox": [[0.5, 0.5, 0.5, 0.2]], "category": ["a"]}}
    broken = {"bytes": b"<html>", "path": "b.png"}
    rows = {"train": [row, {**row, "image": broken}]}
    with pytest.raises(DataError, match=r"fractions of '.*b.png', which is missing or can't"):
        data_of(tmp_path, rows)
    found = check(f"hub-folder:{tmp_path}", show=False)
    assert len(found.dataset.truth.labels) == 1
    assert found.counts["unreadable_image"] == 1
