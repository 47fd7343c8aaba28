"""Checks of data sets: each defect is found, counted and named, and nothing else is."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.data.damaged import FOUND, damaged
from zoo.data import Dataset, GroundTruth, ImageRecord, check, read
from zoo.data.finding import CHECKS
from zoo.errors import DataError, UsageError


def test_every_defect_is_found_and_named(tmp_path: Path) -> None:
    found = check(damaged(tmp_path))
    named = {
        name: [one.image for one in found.findings if one.check == name] for name in found.counts
    }
    assert named == FOUND
    assert list(found.counts) == [name for name in CHECKS if name in FOUND]
    assert found.errors == sum(len(FOUND[name]) for name in FOUND if CHECKS[name][0] == "error")
    assert json.loads(json.dumps(found.to_json()))["counts"] == found.counts


def test_reading_stays_strict_outside_of_a_check(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    check(path)
    with pytest.raises(DataError):
        read(path)


def test_files_are_read_as_far_as_wanted(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    of_files = {"missing_image", "unreadable_image", "image_size", "turned_image", "near_duplicate"}
    header = {*check(path, images="header").counts}
    assert of_files & header == {"missing_image", "image_size", "turned_image"}
    assert of_files & {*check(path, images="none").counts} == set()
    with pytest.raises(UsageError, match="Did you mean 'header'"):
        check(path, images="headers")  # type: ignore[arg-type]


def test_copies_in_two_splits_leak_and_a_split_may_lack_a_class(tmp_path: Path) -> None:
    data = read(_without_defects(tmp_path))
    rows = {"train": np.array([0]), "val": np.array([1])}
    found = check(Dataset("some", data.images, data.truth, (), rows))
    assert found.counts["leakage"] == 1
    [leak] = [one for one in found.findings if one.check == "leakage"]
    assert (leak.image, leak.split) == ("copy.jpg", "val")
    assert leak.message == "It looks like good.jpg of train."
    [lack] = [one for one in found.findings if one.check == "class_not_in_split"]
    assert lack.message == "The split val has no box of dog."


def test_one_class_in_two_spellings_is_remarked(tmp_path: Path) -> None:
    path = _without_defects(tmp_path)
    content = json.loads(path.read_text())
    content["categories"] += [{"id": 7, "name": "Dog"}, {"id": 8, "name": "c-a-t"}]
    content["categories"] += [{"id": 9, "name": "+"}, {"id": 10, "name": "-"}]
    path.write_text(json.dumps(content))
    alike = [one for one in check(path).findings if one.check == "alike_classes"]
    assert [one.label for one in alike] == ["cat", "dog"]
    assert alike[1].message == "'dog' (1) and 'Dog' (0) may be one class, spelled in 2 ways."


def _without_defects(folder: Path) -> Path:
    path = damaged(folder)
    content = json.loads(path.read_text())
    content["images"] = [one for one in content["images"] if one["id"] in (1, 8)]
    content["annotations"] = [one for one in content["annotations"] if one["image_id"] in (1, 8)]
    content["annotations"].append({"id": 90, "image_id": 1, "category_id": 4, "bbox": [1, 1, 9, 9]})
    path.write_text(json.dumps(content))
    return path


def test_boxes_at_the_edges_and_tiny_images_are_right(tmp_path: Path) -> None:
    boxes = {
        "image": [1, 1, 2],
        "label": [0] * 3,
        "box": [[0, 0, 8, 6], [-0.4, 1, 8.4, 6], [0, 0, 1, 1]],
    }
    truth = GroundTruth.of([1, 2], boxes, label_space=["cat"])
    records = [ImageRecord(1, tmp_path / "a.jpg", 8, 6), ImageRecord(2, tmp_path / "b.jpg", 1, 1)]
    found = check(Dataset("some", records, truth), images="none")
    assert found.counts == {"zero_area": 1, "rare_class": 1}


def test_a_folder_of_xml_and_text_is_checked_record_by_record(tmp_path: Path) -> None:
    from tests.data.formats.voc.folder import item, written
    from tests.data.formats.yolo.folder import written as yolo

    home = tmp_path / "voc"
    written(home, "a.xml", item(1, 1, 9, 9), item(9, 9, 2, 2, name="dgo"))
    written(home, "b.xml", item(1, 1, "x", 9), image="b.jpg")
    (home / "labels.txt").write_text("cat\ndog\n")
    counts = check(home).counts
    assert (counts["unreadable_annotations"], counts["unknown_class"]) == (1, 1)
    files = {"data.yaml": "names: [cat]", "images/a.jpg": None, "train.txt": "x"}
    text = "0 .5 .5 .5 .5\n7 .5 .5 .5 .5\n0 .5 .5\n0 .5 .5 -.5 .5\n"
    lines = {"labels/a.txt": text, "labels/b.txt": "0 .5 .5 .5 .5\n"}
    folder = yolo(tmp_path / "yolo", files | lines)
    (folder / "images" / "b.jpg").write_bytes(b"")
    counts = check(folder).counts
    assert {name: counts[name] for name in counts if CHECKS[name][0] == "error"} == {
        "unreadable_annotations": 1,
        "unreadable_image": 1,
        "unknown_class": 1,
        "inverted": 1,
    }


def test_real_data_sets(shared: Path) -> None:
    cells = check(shared / "bccd_voc" / "BCCD", images="header")
    assert cells.counts == {"zero_area": 2}
    assert [one.image for one in cells.findings] == ["BloodImage_00338.jpg", "BloodImage_00343.jpg"]
    assert check(shared / "fish_voc", images="header").findings == ()
    rbc = check(shared / "rbc_coco_json", images="header")
    assert rbc.counts == {"two_classes": 4, "unused_class": 1}
