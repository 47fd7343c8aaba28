"""A COCO data set that is damaged in ways that each check finds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIZE = 64, 48


def noise(seed: int) -> Image.Image:
    grid = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(grid).resize(SIZE, Image.Resampling.BICUBIC)


def damaged(folder: Path) -> Path:
    """Images 1 to 9, and what is wrong with each by its file's name."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ["good", "cut", "gone", "size", "turned", "fractions", "boxes", "copy", "records"]
    images = [
        {"id": row, "file_name": f"{name}.jpg", "width": SIZE[0], "height": SIZE[1]}
        for row, name in enumerate(names, start=1)
    ]
    for row, name in enumerate(names):
        noise(row).save(folder / f"{name}.jpg", quality=95)
    (folder / "gone.jpg").unlink()
    (folder / "cut.jpg").write_bytes((folder / "cut.jpg").read_bytes()[:900])
    noise(3).resize((80, 60)).save(folder / "size.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(4).save(folder / "turned.jpg", exif=exif)
    noise(0).save(folder / "copy.jpg", quality=60)
    boxes: list[tuple[Any, ...]] = [
        *((1, [4, 4, 20, 20]), (2, [4, 4, 20, 20]), (3, [4, 4, 20, 20]), (4, [4, 4, 20, 20])),
        *((5, [0, 0, 10, 20]), (6, [0.25, 0.25, 0.5, 0.5]), (7, [50, 30, 20, 30])),
        *((7, [8, 8, 0.5, 9]), (7, [10, 10, 9, 9]), (7, [10, 10, 9, 9]), (7, [70, 5, 9, 9])),
        *((8, [4, 4, 20, 20]), (9, [30, 30, -20, -10]), (99, [1, 1, 5, 5]), (9, [1, 1, 5, 5], 77)),
    ]
    annotations = [
        {"id": row, "image_id": one[0], "category_id": (*one, 3)[2], "bbox": one[1]}
        for row, one in enumerate(boxes, start=1)
    ]
    annotations.append({"id": 1, "image_id": 9, "category_id": 4, "bbox": [10, 20, 20, 10]})
    categories = [{"id": 3, "name": "cat"}, {"id": 4, "name": "dog"}, {"id": 5, "name": "bus"}]
    path = folder / "instances.json"
    content = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(content))
    return path


FOUND = {
    "missing_image": ["gone.jpg"],
    "unreadable_image": ["cut.jpg"],
    "image_size": ["size.jpg"],
    "turned_image": ["turned.jpg"],
    "unknown_image": ["99"],
    "unknown_class": ["records.jpg"],
    "annotation_id": ["records.jpg"],
    "inverted": ["records.jpg"],
    "fractions": ["fractions.jpg"],
    "outside": ["boxes.jpg", "boxes.jpg"],
    "zero_area": ["boxes.jpg"],
    "duplicate": ["boxes.jpg"],
    "two_classes": ["records.jpg"],
    "near_duplicate": ["copy.jpg"],
    "unused_class": [None],
    "rare_class": [None],
}
