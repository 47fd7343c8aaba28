"""Further fields of a COCO file, as they are."""

import json
import pickle
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("box", "names"),
    [
        ('{"id": 1, "bbox": [0, 0, 1, 1], "segmentation": {"counts": "a:", "size": [1, 2]}}', []),
        ('{"id": 1, "bbox": [0, 0, 1, 1], "attributes" : {"size": 3, "occluded": false}}',
         ["attributes"]),
        (r'{"id": 1, "\u0061ttributes": 1}', ["attributes"]),
        ('{"id": 1}, {"id": 2, "score": "\\"id\\": 3"}', ["score"]),
    ],
)  # fmt: skip
def test_boxes_further_fields_are_named_wherever_they_are(
    box: str, names: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "instances.json"
    file.write_text(f'{{"images": [{{"id": 1, "place": "x"}}], "annotations": [{box}]}}')
    assert CocoExtras(file).names_of_boxes() == names


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists the files in memory")
def test_the_file_does_not_stay_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "instances.json"
    file.write_text('{"info": {"year": 2020}, "images": [{"id": 1, "place": "x"}]}')
    extras = CocoExtras(file)
    assert bytes(extras.of_images([1])[0]["place"]) == b'"x"'
    assert bytes(extras.of_file([1])["info"]) == b'{"year": 2020}'
    assert str(file) not in Path("/proc/self/maps").read_text()
