"""Further fields of COCO's files: kept under the ids that several data sets have together."""

import json
from dataclasses import replace
from pathlib import Path

from zoo.data import convert, read
from zoo.data.losses import losses
from zoo.data.merge import merge


def test_splits_keep_the_fields_of_their_own_files_and_images_no_other_licence(
    tmp_path: Path,
) -> None:
    for split, license_ in (("train", "CC0"), ("val", "CC BY")):
        content = {
            "info": {"contributor": "we"},
            "licenses": [{"id": 1, "name": license_}],
            "images": [{"id": 1, "file_name": f"{split}.png", "license": 1, "coco_url": split}],
            "categories": [{"id": 1, "name": "cat", "supercategory": "animal"}],
            "annotations": [],
        }
        (tmp_path / "source").mkdir(exist_ok=True)
        (tmp_path / "source" / f"instances_{split}.json").write_text(json.dumps(content))
    data = read(f"coco:{tmp_path / 'source'}")  # two images with one id
    convert(data, f"coco:{tmp_path / 'made'}", images="none")
    for split, license_ in (("train", "CC0"), ("val", "CC BY")):
        file = json.loads((tmp_path / "made" / f"instances_{split}.json").read_text())
        [image] = file["images"]
        assert (file["licenses"][0]["name"], image["license"]) == (license_, 1)
        assert (image["coco_url"], file["categories"][0]["supercategory"]) == (split, "animal")
    together = replace(data, split_rows={})
    convert(together, f"coco:{tmp_path / 'one.json'}", images="none")
    file = json.loads((tmp_path / "one.json").read_text())
    assert ("licenses" in file, file["info"]) == (False, {"contributor": "we"})
    assert [list(image) for image in file["images"]] == [["id", "file_name", "coco_url"]] * 2


def test_further_fields_of_boxes_are_said_to_be_lost(tmp_path: Path) -> None:
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2], "area": 4, "iscrowd": 0}
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 8, "height": 8}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [box | {"keypoints": [1, 1, 2]}, box | {"id": 2, "attributes": {"wet": 1}}],
    }
    (tmp_path / "a.json").write_text(json.dumps(content))
    data = read(f"coco:{tmp_path / 'a.json'}")
    lost = "2 further fields of boxes are left out: keypoints, attributes."
    assert lost in losses(data, {"extras"})
    assert lost in losses(merge("both", {"train": data, "val": data}), {"extras"})
    assert "further field" not in " ".join(losses(replace(data, extras=None), {"extras"}))
