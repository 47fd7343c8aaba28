"""Records of a COCO file that can't be read: a check lists each and reads on, a corrected copy is
without them, and plain reading stops at the first and names it."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from zoo.data import check, convert, read
from zoo.data.fix import fix
from zoo.errors import DataError

SIZE = 64, 48


def made(folder: Path, **changes: Any) -> Path:
    """Two images with a box each, and a third box with some changes. NaN is written as Python's
    `json.dump` does."""
    folder.mkdir(exist_ok=True)
    for name in ("a.png", "b.png"):
        Image.new("RGB", SIZE, name[0].replace("a", "red").replace("b", "blue")).save(folder / name)
    images = [
        {"id": row, "file_name": name, "width": SIZE[0], "height": SIZE[1]}
        for row, name in ((1, "a.png"), (2, "b.png"))
    ]
    box = {"id": 9, "image_id": 2, "category_id": 3, "bbox": [30, 30, 9, 9], "note": "NaN"}
    boxes: list[dict[str, Any]] = [
        box | {"id": 7, "image_id": 1, "bbox": [4, 4, 20, 20]},
        box | changes,
        box | {"id": 8, "bbox": [5, 5, 9, 9]},
    ]
    boxes = [{key: value for key, value in one.items() if value is not ...} for one in boxes]
    content = {"images": images, "annotations": boxes, "categories": [{"id": 3, "name": "cat"}]}
    path = folder / "instances.json"
    path.write_text(json.dumps(content))
    return path


NAN = float("nan")
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"bbox": [1, 2, 3]}, "not_finite", "(id 9, image 2) has the bbox [1, 2, 3], not four numbers"),
    ({"bbox": "wide"}, "not_finite", '(id 9, image 2) has the bbox "wide", not four numbers'),
    (
        {"bbox": [1, NAN, 3, -float("inf")]},
        "not_finite",
        "(id 9, image 2) has the bbox [1, NaN, 3, -Infinity], not four numbers",
    ),
    ({"bbox": ...}, "not_finite", "(id 9, image 2) has no bbox, and no mask to take it from"),
    ({"category_id": ...}, "unreadable_annotations", "(id 9, image 2) has no category_id"),
    (
        {"category_id": "x" * 99},
        "unreadable_annotations",
        f'has the category_id "{"x" * 59}…, not a whole number of 64 bits',
    ),
    ({"image_id": ...}, "unreadable_annotations", "(id 9) has no image_id"),
    ({"id": [1]}, "unreadable_annotations", "(id [1], image 2) has the id [1], not a whole number"),
    ({"area": NAN}, "unreadable_annotations", "has the area NaN, not a number"),
    ({"iscrowd": 2}, "unreadable_annotations", "has the iscrowd 2, not 0 or 1"),
    ({"score": NAN}, "unreadable_annotations", "has NaN or Infinity, numbers that JSON does not"),
]


@pytest.mark.parametrize(("changes", "kind", "says"), WRONG)
def test_a_record_that_can_not_be_is_a_finding_and_left_out_of_the_copy(
    tmp_path: Path, changes: dict[str, Any], kind: str, says: str
) -> None:
    path = made(tmp_path / "site", **changes)
    found = check(path)
    [wrong] = [one for one in found.findings if one.is_error]
    assert wrong.check == kind
    assert wrong.message.startswith("annotations[1] ")
    assert says in wrong.message
    assert wrong.image == (None if "image_id" in changes else "b.png")
    assert found.dataset.truth.ids.tolist() == [7, 8]
    copy = fix(path, found, str(tmp_path / "made"))
    assert check(copy.written.data).errors == 0
    assert read(copy.written.data).truth.ids.tolist() == [7, 8]
    [change] = [change for change in copy.changes if says in change]
    assert "a record is left out" in change


@pytest.mark.parametrize(("changes", "kind", "says"), WRONG)
def test_reading_for_anything_else_stops_there_and_advises_a_corrected_copy(
    tmp_path: Path, changes: dict[str, Any], kind: str, says: str
) -> None:
    path = made(tmp_path, **changes)
    with pytest.raises(DataError) as caught:
        read(path)
    assert says in caught.value.case
    assert f"zoo data check {path} --fix" in caught.value.fix


def test_an_image_that_is_listed_twice_is_taken_as_it_is_listed_first(tmp_path: Path) -> None:
    path = made(tmp_path / "site")
    content = json.loads(path.read_text())
    second = content["images"][1]
    content["images"] = [second, content["images"][0], second | {"file_name": "other.png"}]
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="Image 2 is listed twice"):
        read(path)
    found = check(path)
    [twice] = [one for one in found.findings if one.is_error]
    assert (twice.check, twice.image) == ("repeated_image", "b.png")
    assert twice.message == (
        "images[2] (id 2, other.png) lists image 2 again; images[0] (b.png) is taken."
    )
    copy = fix(path, found, str(tmp_path / "made"))
    assert check(copy.written.data).errors == 0
    assert any("lists image 2 again" in change for change in copy.changes)


def test_images_and_lists_of_anything_are_findings_too(tmp_path: Path) -> None:
    path = made(tmp_path / "site")
    content = json.loads(path.read_text())
    content["images"] += [{"file_name": "c.png"}, {"id": 4, "width": -8, "license": 1}, "d.png"]
    content["annotations"] += [None, [1, 2]]
    path.write_text(json.dumps(content))
    found = check(path)
    assert [one.message for one in found.findings if one.is_error] == [
        "images[2] has no id.",
        "images[3] (id 4) has the width -8, not a number of pixels.",
        'images[4] is "d.png", not an object with fields.',
        "annotations[3] is null, not an object with fields.",
        "annotations[4] is [1, 2], not an object with fields.",
    ]
    assert len(found.dataset.truth.ids) == 3
    copy = fix(path, found, str(tmp_path / "made"))
    assert check(copy.written.data).errors == 0


def test_what_is_no_lists_of_records_can_not_be_read_at_all(tmp_path: Path) -> None:
    path = made(tmp_path)
    text = path.read_text()
    for broken in (text[:-20], text.replace('"images"', '"pictures"'), '{"images": 3}'):
        path.write_text(broken)
        with pytest.raises(DataError) as caught:
            check(path)
        assert "--fix" not in caught.value.fix


def test_numbers_that_json_lacks_outside_of_records_stop_a_check(tmp_path: Path) -> None:
    path = made(tmp_path)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"info": {"year": NAN}}))
    with pytest.raises(DataError, match=r"Byte \d+ begins NaN"):
        check(path)


def test_texts_that_look_like_such_numbers_stay(tmp_path: Path) -> None:
    path = made(tmp_path / "site", bbox=[NAN] * 4)
    content = json.loads(path.read_text())
    content["images"][0]["caption"] = 'a "quoted" [NaN, Infinity] of b'
    path.write_text(json.dumps(content))
    found = check(path)
    assert found.counts["not_finite"] == 1
    written = convert(found.dataset, f"coco:{tmp_path / 'copy.json'}", images="none")
    copied = json.loads((tmp_path / "copy.json").read_text())
    assert copied["images"][0]["caption"] == content["images"][0]["caption"]
    assert written.boxes == 2
