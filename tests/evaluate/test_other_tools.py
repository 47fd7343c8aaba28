"""COCO files as other tools write them: one meaning each, or a sentence."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.cli.image_ids import ImageIds
from zoo.data import read
from zoo.errors import DataError
from zoo.evaluate.coco_files import read_results

IMAGE = {"id": 1, "file_name": "1.jpg", "width": 64, "height": 64}
CATEGORY = {"id": 3, "name": "cat"}
BOX = {"id": 1, "image_id": 1, "category_id": 3, "bbox": [8, 5, 50, 50], "area": 2500, "iscrowd": 0}
FOUND = {"image_id": 1, "category_id": 3, "bbox": [8, 5, 50, 50], "score": 0.9}


def instances(
    folder: Path, *, image: Any = None, category: Any = None, box: Any = None, **more: Any
) -> Path:
    content = {
        "images": [IMAGE | (image or {}), IMAGE | {"id": 2}],
        "categories": [CATEGORY | (category or {})],
        "annotations": [BOX | (box or {}), BOX | {"id": 7}],
    }
    file = folder / "instances.json"
    file.write_text(json.dumps(content | more))
    return file


def results(folder: Path, **changes: Any) -> Path:
    file = folder / "results.json"
    file.write_text(json.dumps([FOUND | changes, FOUND]))
    return file


def ap(results: Path, instances: Path) -> float | None:
    return zoo.evaluate(results, data=instances, resamples=0).ap


SAME: list[dict[str, Any]] = [
    {"image": {"id": 1.0}},
    {"category": {"id": "3"}},
    {"category": {"id": 3.0}},
    {"box": {"id": None}},
    {"box": {"id": -1}},
    {"box": {"id": "1"}},
    {"box": {"image_id": "1"}},
    {"box": {"image_id": 1.0, "category_id": 3.0}},
    {"box": {"category_id": "3"}},
    {"box": {"iscrowd": False}},
    {"box": {"iscrowd": 0.0}},
    {"box": {"iscrowd": None}},
    {"box": {"iscrowd": -1}},
    {"box": {"area": 2500.0}},
    {"box": {"area": -1}},
    {"box": {"area": None}},
]


@pytest.mark.parametrize("changes", SAME)
def test_annotations_that_mean_the_same_measure_the_same(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    file = instances(tmp_path, **changes)
    truth = read(file).truth
    assert truth.image_ids.tolist() == [1, 2]
    assert truth.areas.tolist() == [2500, 2500]
    assert truth.crowd.tolist() == [False, False]
    assert len(set(truth.ids.tolist())) == 2
    assert truth.no_area == (changes.get("box", {}).get("area", 0) in (None, -1))
    assert ap(results(tmp_path), file) == pytest.approx(1)


@pytest.mark.parametrize(
    "changes", [{"image_id": "1"}, {"image_id": 1.0}, {"category_id": "3"}, {"category_id": 3.0}]
)
def test_results_that_mean_the_same_measure_the_same(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    assert ap(results(tmp_path, **changes), instances(tmp_path)) == pytest.approx(1)


def test_numbers_in_results_meet_text_in_annotations(tmp_path: Path) -> None:
    images = [IMAGE | {"id": "1"}, IMAGE | {"id": "2"}]
    file = instances(tmp_path, images=images, annotations=[BOX, BOX | {"id": 2, "image_id": "1"}])
    assert ap(results(tmp_path), file) == pytest.approx(1)
    assert ap(results(tmp_path, image_id="1"), file) == pytest.approx(1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_id": True}, r"Record \[0\] has the image id True"),
        ({"image_id": 2**63}, r"Record \[0\] has the image id 9223372036854775808"),
        ({"image_id": "01"}, r"Record \[0\] is of image '01', which"),
        ({"image_id": None}, r"Record \[0\] has the image id None"),
        ({"category_id": "cat"}, r"Record \[0\] has the category 'cat'"),
        ({"category_id": 2**64}, r"Record \[0\] has the category 18446744073709551616"),
        ({"category_id": 0.5}, r"Record \[0\] has the category 0\.5"),
    ],
)
def test_what_can_not_be_an_id_is_a_sentence(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    truth = read(instances(tmp_path)).truth
    with pytest.raises(DataError, match=message):
        read_results(results(tmp_path, **changes), truth)


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" * 400])
@pytest.mark.parametrize("field", ["image_id", "category_id", "score"])
def test_numbers_beyond_all_bounds_are_a_sentence(tmp_path: Path, field: str, number: str) -> None:
    truth = read(instances(tmp_path)).truth
    file = tmp_path / "results.json"
    file.write_text(json.dumps([FOUND | {field: "HERE"}]).replace('"HERE"', number))
    with pytest.raises(DataError, match=r"results\.json was read"):
        read_results(file, truth)


@pytest.mark.parametrize(
    "name", ["results.json.gz", "results.jsonl", "results.jsonl.gz", "marked.json"]
)
def test_packed_files_lines_and_byte_order_marks_are_read(tmp_path: Path, name: str) -> None:
    records = [FOUND, FOUND | {"image_id": 2}]
    text = "\n".join(map(json.dumps, records)) if ".jsonl" in name else json.dumps(records)
    raw = (b"\xef\xbb\xbf" if name == "marked.json" else b"") + text.encode()
    file = tmp_path / name
    file.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    plain = instances(tmp_path)
    packed = tmp_path / "instances_small.json.gz"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + plain.read_bytes()))
    report = zoo.evaluate(str(file), data=packed, resamples=0)
    assert report.measured.detections == 2
    assert report.measured.data == "instances_small"
    assert report.provenance is not None
    assert report.provenance["model"] == name.partition(".")[0]


def test_bytes_that_are_no_utf8_are_refused_wherever_they_are(tmp_path: Path) -> None:
    file, found = instances(tmp_path, box={"iscrowd": 1}), results(tmp_path)
    truth = read(file).truth
    file.write_bytes(file.read_bytes().replace(b'"iscrowd": 1', b'"iscro\xffd": 1'))
    with pytest.raises(DataError, match=r"Byte \d+ is no UTF-8"):
        read(file)
    found.write_bytes(
        found.read_bytes().replace(b'"score": 0.9}', b'"score": 0.9, "note": "\xed\xa0\x80"}', 1)
    )
    with pytest.raises(DataError, match=r"Byte \d+ is no UTF-8"):
        read_results(found, truth)


def test_a_parent_category_without_boxes_is_left_out_and_told(tmp_path: Path) -> None:
    categories = [
        {"id": 0, "name": "cat", "supercategory": "none"},
        {"id": 3, "name": "cat", "supercategory": "cat"},
    ]
    categories[1]["supercategory"] = "cat"
    file = instances(tmp_path, categories=[categories[0], {**categories[1]}])
    with pytest.raises(DataError, match="names a class twice"):
        read(instances(tmp_path, categories=[categories[0], {"id": 3, "name": "cat"}]))
    file = instances(tmp_path, categories=categories)
    data = read(file)
    assert data.label_space.ids == (3,)
    report = zoo.evaluate(results(tmp_path), data=data, resamples=0)
    assert any("Category 0 is left out" in note for note in report.measured.notes)
    known = ImageIds.read(file)
    assert known.label_space is not None
    assert known.label_space.ids == (3,)


def test_commas_and_equals_signs_may_be_in_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "lr=0.1,batch_size=32"
    folder.mkdir()
    file, images = instances(folder), tmp_path / "a,name=b"
    images.mkdir()
    doubled = str(file).replace(",", ",,")
    for data in (f"coco:{file}", str(file), file, f"coco:{doubled}"):
        assert len(read(data)) == 2
    named = read(f"coco:{file},images={tmp_path},name=Mine")
    assert (named.name, named.images[0].root) == ("Mine", tmp_path)
    escaped = str(images).replace(",", ",,")
    assert read(f"coco:{doubled},images={escaped}").images[0].root == images
    with pytest.raises(DataError, match="A comma of the path's own is written twice"):
        read(f"coco:{tmp_path}/nowhere,batch_size=32/instances.json")


def test_annotations_for_image_ids_are_read_as_any_other(tmp_path: Path) -> None:
    file = instances(
        tmp_path, images=[IMAGE | {"id": "12", "file_name": "train\\1.png"}, IMAGE | {"id": "13"}]
    )
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    known = ImageIds.read(file)
    assert known.of("images/train/1.png") == 12
    assert known.of("1.jpg") == 13
