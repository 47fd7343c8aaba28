"""Losses of a conversion, in sentences."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from tests.data.masked_squares import made
from zoo.data import Dataset, GroundTruth, ImageRecord, convert, read
from zoo.data.losses import losses
from zoo.labels import LabelSpace

SPACE = LabelSpace("custom", ("dog", "cat", "bus"), (1, 3, 90))


def test_each_thing_that_is_there_and_not_held_is_said_with_its_number() -> None:
    boxes = {
        "image": [7, 7],
        "label": [0, 1],
        "box": [[0, 0, 2, 2], [1, 1, 2, 2]],
        "area": [4, 0.5],
        "crowd": [1, 0],
        "id": [8, 9],
        "difficult": np.array([True, True]),
        "truncated": np.array([False, False]),
        "night": [1, 2],
    }
    truth = GroundTruth.of({"id": [7], "camera": [3]}, boxes, label_space=SPACE)
    rows = {"train": np.array([0])}
    data = Dataset("some", [ImageRecord(7, Path("a.jpg"))], truth, (), rows)
    assert losses(data, ()) == (
        "1 crowd box becomes ordinary.",
        "1 area of a mask becomes the box's own.",
        "The ids of boxes become 1, 2, 3 …",
        "The ids of images become the names of their files.",
        "The ids of classes become 0, 1, 2 …",
        "The order of classes becomes that of their names.",
        "1 class has no box, and is left out: bus.",
        "1 split is left out: train.",
        "1 attribute of boxes is left out: night.",
        "1 attribute of images is left out: camera.",
        "2 boxes are no longer difficult.",
    )
    held = ("crowd", "area", "splits", "class ids", "difficult", "attributes")
    assert losses(data, held) == (
        "The ids of boxes become 1, 2, 3 …",
        "The ids of images become the names of their files.",
        "1 class has no box, and is left out: bus.",
        "1 attribute of images is left out: camera.",
    )


def test_a_plain_data_set_loses_nothing() -> None:
    boxes = {"image": ["a"], "label": [0], "box": [[0, 0, 2, 2]]}
    truth = GroundTruth.of(["a"], boxes, label_space=["cat"])
    assert losses(Dataset("some", [ImageRecord("a", Path("a.jpg"))], truth), ()) == ()


def test_masks_that_a_format_leaves_out_are_said_to_be_lost(tmp_path: Path) -> None:
    data = read(made(tmp_path / "source", first=7))  # two of its three objects have one
    Image.new("RGB", (30, 20)).save(tmp_path / "source" / "a.png")
    assert "2 masks are left out." in losses(data, ())
    assert "2 masks are left out." not in losses(data, ("masks",))
    assert "2 masks are left out." in convert(data, f"yolo:{tmp_path / 'yolo'}").losses
    assert convert(data, f"coco:{tmp_path / 'coco'}").losses == ()


def test_further_fields_of_coco_are_kept_by_coco_and_said_to_be_lost_elsewhere(
    tmp_path: Path,
) -> None:
    path = made(tmp_path / "source", first=7)
    Image.new("RGB", (30, 20)).save(tmp_path / "source" / "a.png")
    content = json.loads(path.read_text())
    about = {"info": {"year": 2020}, "licenses": [{"id": 3, "name": "CC0"}]}
    content["images"][0] |= {"license": 3, "coco_url": "https://example.org/a.png"}
    content["categories"][0]["supercategory"] = "shape"
    path.write_text(json.dumps(content | about))
    for name in ("a", "b/instances.json"):
        (tmp_path / "b").mkdir(exist_ok=True)
        convert(read(path), f"coco:{tmp_path / name}")
        file = next(iter(sorted((tmp_path / name[0]).glob("*.json"))))
        written = json.loads(file.read_text())
        assert {key: written[key] for key in about} == about
        assert written["images"] == content["images"]
        assert written["categories"] == content["categories"]
    assert convert(read(path), f"voc:{tmp_path / 'voc'}").losses[-1] == (
        "5 further fields are left out: info, licenses, license of images, coco_url of images, "
        "supercategory of classes."
    )
