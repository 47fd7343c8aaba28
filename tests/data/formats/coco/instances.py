"""A small `instances.json`, right but for what a test changes."""

import json
from pathlib import Path
from typing import Any


def instances(**changes: Any) -> dict[str, Any]:
    """A small file in which everything is right, but for the changes to its second annotation."""
    annotations = [
        {
            "id": 1,
            "image_id": 7,
            "category_id": 3,
            "bbox": [0, 0, 10, 20],
            "area": 150.5,
            "iscrowd": 0,
        },
        {
            "id": 2,
            "image_id": 7,
            "category_id": 90,
            "bbox": [5, 5, 10, 10],
            "area": 80,
            "iscrowd": 0,
            **changes,
        },
        {"id": 5, "image_id": 3, "category_id": 3, "bbox": [1, 1, 2, 2], "area": 4, "iscrowd": 1},
    ]
    return {
        "images": [
            {"id": 7, "width": 30, "height": 20, "file_name": "a.jpg"},
            {"id": 3},
            {"id": 9, "width": 8, "height": 8},
        ],
        "annotations": [
            {key: value for key, value in one.items() if value is not ...} for one in annotations
        ],
        "categories": [
            {"id": 90, "name": "dog", "supercategory": "animal"},
            {"id": 3, "name": "cat"},
        ],
    }


def written(folder: Path, content: Any) -> Path:
    path = folder / "instances.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path
