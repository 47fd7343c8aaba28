"""The columns of boxes, by what data sets of the Hub call them."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest

from zoo.data.formats.hub.columns import BoxColumns, box_columns
from zoo.data.formats.hub.options import HubOptions
from zoo.errors import DataError

BOXES = pa.list_(pa.list_(pa.float32()))
NUMBERS = pa.list_(pa.int64())
TEXTS = pa.list_(pa.string())
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
STRUCT = pa.struct([("id", NUMBERS), ("bbox", BOXES), ("category", NUMBERS), ("area", NUMBERS)])
OF_STRUCTS = pa.list_(pa.struct([("bbox", pa.list_(pa.float32())), ("category_id", pa.int64())]))


def columns(kinds: Mapping[str, Any], **options: Any) -> BoxColumns:
    return box_columns(pa.schema(list(kinds.items())), HubOptions(**options), "hub:org/scenes")


def test_a_struct_of_lists_as_cppe_5_has_it() -> None:
    kinds = {"image_id": pa.int64(), "image": IMAGE, "width": pa.int32(), "objects": STRUCT}
    found = columns(kinds)
    assert found == BoxColumns(
        "objects", "bbox", "category", area="area", id="id", image="image", image_id="image_id"
    )
    assert found.label_path == ("objects", "category")
    assert found.of_boxes == ("bbox", "category", "area", "id")
    assert found.not_of_images == ("objects", "category", "image", "width", "height")


def test_a_list_of_structs_with_fields_of_its_own() -> None:
    kind = pa.list_(
        pa.struct([*OF_STRUCTS.value_type, ("iscrowd", pa.bool_()), ("sex", pa.utf8())])
    )
    found = columns({"image": pa.binary(), "annotations": kind})
    assert found == BoxColumns(
        "annotations", "bbox", "category_id", crowd="iscrowd", others=("sex",), image="image"
    )


def test_columns_of_their_own_and_what_else_is_a_list() -> None:
    kinds = {"Image": IMAGE, "id": pa.int64(), "bboxes": BOXES, "Labels": TEXTS, "area": NUMBERS}
    found = columns(kinds)
    assert found == BoxColumns("", "bboxes", "Labels", area="area", image="Image")
    assert found.label_path == ("Labels",)


def test_a_plain_column_called_as_those_of_boxes_is_no_group() -> None:
    found = columns({"image": IMAGE, "object": pa.string(), "boxes": BOXES, "label": NUMBERS})
    assert (found.objects, found.boxes, found.labels) == ("", "boxes", "label")


def test_one_column_of_images_needs_no_name_and_several_do() -> None:
    rest = {"bbox": BOXES, "label": NUMBERS}
    assert columns({"photo": IMAGE, **rest}).image == "photo"
    assert columns({"photo": IMAGE, "depth": IMAGE, **rest}).image == ""
    assert columns({"photo": IMAGE, "depth": IMAGE, **rest}, image="depth").image == "depth"
    assert columns({"image": pa.string(), **rest}).image == ""  # a path is no image


def test_a_person_names_columns() -> None:
    kinds = {"image": IMAGE, "key": pa.string(), "truth": STRUCT, "bbox": BOXES, "label": NUMBERS}
    found = columns(kinds, objects="truth", labels="area", id="key")
    assert (found.objects, found.boxes, found.labels, found.image_id) == (
        *("truth", "bbox", "area"),
        "key",
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objects": "truht"}, r"no column 'truht'(.|\n)*Did you mean objects=truth\?"),
        ({"objects": "image"}, r"no column of boxes that is known; there are bytes, path"),
        ({"objects": "key"}, r"'key' is string, without boxes and labels"),
        ({"objects": "truth", "boxes": "corners"}, r"no column 'corners'(.|\n)*Correct boxes="),
        ({}, r"no column of boxes(.|\n)*,boxes=COLUMN, or in which: ,objects=COLUMN"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(options: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        columns({"image": IMAGE, "key": pa.string(), "truth": STRUCT}, **options)
