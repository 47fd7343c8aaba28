"""Further fields of a COCO file, as they are."""

import json
import pickle
from pathlib import Path

from zoo.data.formats.coco.extras import CocoExtras


def test_fields_are_found_by_ids_however_they_are_written_also_in_another_process(
    tmp_path: Path,
) -> None:
    content = {
        "info": {"year": 2020},
        "images": [
            {"id": 7.0, "file_name": "a.png", "coco_url": "first"},
            {"id": 7, "file_name": "b.png", "coco_url": "second"},
            {"id": "8", "file_name": "c.png", "width": 4, "height": 4},
        ],
        "categories": [{"id": 1, "name": "cat", "supercategory": "animal"}],
    }
    (tmp_path / "instances.json").write_text(json.dumps(content))
    extras = CocoExtras(tmp_path / "instances.json")
    for same in (extras, pickle.loads(pickle.dumps(extras))):
        assert {name: json.loads(bytes(text)) for name, text in same.of_file([7]).items()} == {
            "info": {"year": 2020}
        }
        first, second, unknown = same.of_images([7, 8, 9])
        assert {name: bytes(text) for name, text in first.items()} == {"coco_url": b'"first"'}
        assert (second, unknown) == ({}, {})
        [fields] = same.of_classes([1])
        assert bytes(fields["supercategory"]) == b'"animal"'
