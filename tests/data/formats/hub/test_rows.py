"""Rows of Arrow as flat columns of boxes, in whichever way they are nested."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.formats.hub.columns import box_columns
from zoo.data.formats.hub.options import HubOptions
from zoo.data.formats.hub.rows import Rows
from zoo.errors import DataError

BOX = pa.list_(pa.float64())
STRUCT = pa.struct([("bbox", pa.list_(BOX)), ("category", pa.list_(pa.string()))])
OF_STRUCTS = pa.list_(pa.struct([("bbox", BOX), ("category", pa.string())]))
FIXED = pa.list_(pa.struct([("bbox", pa.list_(pa.float64(), 4)), ("category", pa.string())]))
EDGES = pa.struct([(name, pa.int32()) for name in ("x", "y", "w", "h")])
OF_EDGES = pa.list_(pa.struct([("bbox", EDGES), ("category", pa.string())]))
LARGE = pa.large_list(pa.struct([("bbox", pa.large_list(pa.float64())), ("category", pa.utf8())]))


def rows_of(*batches: pa.RecordBatch, **options: Any) -> Rows:
    rows: Rows | None = None
    for batch in batches:
        columns = box_columns(batch.schema, HubOptions(**options), "hub:org/scenes")
        rows = rows or Rows(columns, "hub:org/scenes")
        rows.add(batch, "a.parquet", columns)
    assert rows is not None
    return rows


def batch(objects: list[Any], kind: pa.DataType, **others: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"objects": pa.array(objects, kind), **others})


def by_field(objects: list[tuple[list[int], str]] | None) -> Any:
    if objects is None:
        return None
    return {"bbox": [box for box, _ in objects], "category": [name for _, name in objects]}


def by_object(objects: list[tuple[list[int], str]] | None, edges: bool = False) -> Any:
    if objects is None:
        return None
    names = ("x", "y", "w", "h")
    boxes = [dict(zip(names, box, strict=True)) if edges else box for box, _ in objects]
    return [{"bbox": box, "category": name} for box, (_, name) in zip(boxes, objects, strict=True)]


_BOX = st.lists(st.integers(-5, 900), min_size=4, max_size=4)
_OBJECTS = st.none() | st.lists(st.tuples(_BOX, st.sampled_from("abc")), max_size=4)


@settings(max_examples=60, deadline=None)
@given(images=st.lists(_OBJECTS, min_size=1, max_size=8), cut=st.integers(0, 8))
def test_every_nesting_is_the_same_boxes(
    images: list[list[tuple[list[int], str]] | None], cut: int
) -> None:
    boxes = [box for objects in images for box, _ in objects or ()]
    names = [name for objects in images for _, name in objects or ()]
    owners = [row for row, objects in enumerate(images) for _ in objects or ()]
    forms = [batch([by_field(objects) for objects in images], STRUCT)]
    for kind in (OF_STRUCTS, FIXED, LARGE, OF_EDGES):
        of = [by_object(objects, edges=kind is OF_EDGES) for objects in images]
        forms.append(batch(of, kind))
    for whole in forms:
        parts = [part for part in (whole[:cut], whole[cut:]) if len(part)]
        rows = rows_of(*parts)  # parts of a batch begin within its buffers
        assert rows.count == len(images)
        found, labels = rows.boxes("bbox"), rows.boxes("category")
        assert found is not None
        assert labels is not None
        assert found.reshape(-1, 4).tolist() == boxes
        assert labels.tolist() == names
        assert rows.rows.tolist() == owners


def test_what_is_missing_is_not_a_number_and_not_a_class() -> None:
    objects = [[{"bbox": None, "category": "a"}, {"bbox": [1, 2, 3, 4], "category": None}]]
    rows = rows_of(batch(objects, OF_STRUCTS))
    found, labels = rows.boxes("bbox"), rows.boxes("category")
    assert found is not None
    assert labels is not None
    assert np.isnan(found[0]).all()
    assert found[1].tolist() == [1, 2, 3, 4]
    assert labels.tolist() == ["a", ""]


def test_files_of_other_columns_and_types_go_together() -> None:
    number = pa.list_(pa.struct([("bbox", BOX), ("category", pa.int32()), ("area", pa.int64())]))
    first = batch(
        [[{"bbox": [1, 2, 3, 4], "category": 7, "area": 12}]], number, site=pa.array(["north"])
    )
    second = batch([[{"bbox": [5, 6, 7, 8], "category": "7"}], []], OF_STRUCTS)
    rows = rows_of(first, second)
    labels = rows.boxes("category")
    assert labels is not None
    assert labels.tolist() == ["7", "7"]
    assert rows.boxes("area") is None  # known of some alone
    assert rows.of_images("site") == ["north", None, None]
    assert rows.image_names == ["site"]


def test_polygons_beside_boxes_are_left_out_and_numbers_are_kept() -> None:
    kind = pa.list_(
        pa.struct(
            [
                ("bbox", BOX),
                ("category", pa.string()),
                ("segmentation", pa.list_(BOX)),
                ("truncated", pa.bool_()),
            ]
        )
    )
    box = {"bbox": [1, 2, 3, 4], "category": "a", "segmentation": [[1, 2, 3, 4, 5, 6]]}
    rows = rows_of(batch([[{**box, "truncated": True}]], kind))
    assert rows.boxes("segmentation") is None
    truncated = rows.boxes("truncated")
    assert truncated is not None
    assert truncated.tolist() == [True]


@pytest.mark.parametrize(
    ("objects", "kind", "message"),
    [
        ([{"bbox": [[1, 2, 3, 4]], "category": []}], STRUCT, r"Row 1 has 1 boxes and 0 of 'cat"),
        ([{"bbox": [[1, 2, 3]], "category": ["a"]}], STRUCT, r"box 0 has 3 numbers, not four"),
        (
            [[{"bbox": "1 2 3 4", "category": "a"}]],
            pa.list_(pa.struct([("bbox", pa.string()), ("category", pa.string())])),
            r"'bbox' can't be: a box is string, not four numbers(.|\n)*,boxes=COLUMN",
        ),
        (
            [[{"bbox": [1, 2, 3, 4], "category": ["a", "b"]}]],
            pa.list_(pa.struct([("bbox", BOX), ("category", pa.list_(pa.string()))])),
            r"'category' can't be: a value of a box is list(.|\n)*,labels=COLUMN",
        ),
        (
            [{"bbox": [1.0, 2, 3, 4], "category": "a"}],
            pa.struct([("bbox", BOX), ("category", pa.string())]),
            r"'bbox' can't be: a box is double, not four numbers",
        ),
    ],
)
def test_what_is_no_box_is_said_with_its_row(
    objects: list[Any], kind: pa.DataType, message: str
) -> None:
    fields = {"bbox": [], "category": []} if pa.types.is_struct(kind) else []
    empty = fields if kind == STRUCT else None
    with pytest.raises(DataError, match=rf"'a.parquet' of hub:org/scenes(.|\n)*{message}"):
        rows_of(batch([empty, *objects], kind))
