"""A COCO file whose objects have masks as files of other tools have them."""

import json
from pathlib import Path


def made(folder: Path, *, first: int) -> Path:
    """One image with a square, a mask in run lengths, and an object without a mask."""
    ring = [2, 3, 8, 3, 8, 9, 2, 9]
    runs = {"size": [20, 30], "counts": [0, 20, 580]}
    segmentations = [[ring], runs, []]
    annotations = [
        {"id": first + row, "image_id": 1, "category_id": 1, "bbox": [row, 3, 6, 6], "area": 36}
        for row in range(3)
    ]
    for annotation, segmentation in zip(annotations, segmentations, strict=True):
        annotation["segmentation"] = segmentation
    document = {
        "images": [{"id": 1, "file_name": "a.png", "width": 30, "height": 20}],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "square"}],
    }
    folder.mkdir(exist_ok=True)
    (folder / "instances.json").write_text(json.dumps(document))
    return folder / "instances.json"
