"""Further fields of COCO's files: kept under the ids that several data sets have together."""

import json
from dataclasses import replace
from pathlib import Path

from zoo.data import convert, read


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
