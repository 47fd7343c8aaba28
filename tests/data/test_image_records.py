"""Images named by annotations: ids are enough until one is opened, and then it is in its folder."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.data import Dataset, ImageRecord, read
from zoo.data.image_records import gather
from zoo.errors import DataError


def named(folder: Path, *names: str | None) -> Dataset:
    """A data set whose annotations give its images these file names."""
    folder.mkdir(parents=True, exist_ok=True)
    images = [{"id": number, "file_name": name} for number, name in enumerate(names)]
    content = {"images": images, "categories": [{"id": 1, "name": "cat"}], "annotations": []}
    (folder / "instances.json").write_text(json.dumps(content))
    return read(f"coco:{folder / 'instances.json'}")


def drawn(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6)).save(path, format="PNG")
    return path


ELSEWHERE = [
    "s3://bucket/a.png",
    "http://images.example/a.png",
    "../a.png",
    "/etc/passwd",
    "a/../../b.png",
    "a\0b.png",
]


@pytest.mark.parametrize("name", [*ELSEWHERE, "C:\\a.png", "cam1_2024-05-01T12:30:00.jpg"])
def test_a_name_that_nobody_opens_is_no_matter(tmp_path: Path, name: str) -> None:
    data = named(tmp_path / "set", name)
    assert data.truth.image_ids.tolist() == [0]
    assert [record.id for record in data.images] == [0]


@pytest.mark.parametrize("name", ["../a.png", "/etc/passwd", "a/../../b.png", "a\0b.png"])
def test_an_image_outside_of_its_folder_is_refused_when_it_is_opened(
    tmp_path: Path, name: str
) -> None:
    drawn(tmp_path / "a.png")
    data = named(tmp_path / "set", name)
    with pytest.raises(DataError, match="Image 0 can't be opened"):
        data.images[0].file()
    with pytest.raises(DataError, match="Image 0 can't be opened"):
        _ = data.images_sha256


def test_links_may_stay_in_the_folder_and_not_leave_it(tmp_path: Path) -> None:
    drawn(tmp_path / "outside.png")
    drawn(tmp_path / "set" / "inside.png")
    (tmp_path / "set" / "good.png").symlink_to("inside.png")
    (tmp_path / "set" / "bad.png").symlink_to("../outside.png")
    (tmp_path / "set" / "round.png").symlink_to("round.png")
    (tmp_path / "link").symlink_to("set")
    named(tmp_path / "set", "inside.png", "good.png", "bad.png", "round.png")
    for folder in ("set", "link"):
        records = read(f"coco:{tmp_path / folder / 'instances.json'}").images
        assert [record.file().is_file() for record in records[:2]] == [True, True]
        with pytest.raises(DataError, match="leads out of its folder"):
            records[2].file()
        with pytest.raises(DataError, match="Image 3"):
            records[3].file()


@pytest.mark.skipif(sys.platform == "win32", reason="a backslash divides folders there")
def test_a_backslash_divides_folders_where_no_file_has_it_in_its_name(tmp_path: Path) -> None:
    divided = drawn(tmp_path / "images" / "train" / "1.png")
    data = named(tmp_path / "annotations", "train\\1.png")
    assert data.images[0].file().samefile(divided)
    literal = drawn(tmp_path / "images" / "train\\1.png")
    assert named(tmp_path / "annotations", "train\\1.png").images[0].file().samefile(literal)


def test_a_name_of_255_bytes_and_one_with_a_colon_are_names(tmp_path: Path) -> None:
    names = ["x" * 251 + ".png", "cam1_12:30:00.png"]
    for name in names:
        drawn(tmp_path / name)
    assert [record.file().name for record in named(tmp_path, *names).images] == names


def test_images_are_a_sequence_of_images(tmp_path: Path) -> None:
    drawn(tmp_path / "a.png")
    records = named(tmp_path, "a.png", None, "c.png").images
    assert [record.path.name for record in records] == ["a.png", "1.jpg", "c.png"]
    assert [record.id for record in records[1:]] == [1, 2]
    assert records[-1] == records[2]
    assert records[0] in records
    assert os.fspath(records[0].path) == str(tmp_path / "a.png")
    with pytest.raises(IndexError):
        records[3]


def test_an_image_in_memory_is_in_no_file() -> None:
    record = ImageRecord("a", Path("a.png"), content=b"encoded")
    assert record.source() == b"encoded"
    with pytest.raises(DataError, match="in memory"):
        record.file()
    assert ImageRecord("a", Path("a.png")).source() == Path("a.png")


def test_an_image_can_be_made_when_it_is_looked_at() -> None:
    made: list[bytes] = []

    def content() -> bytes:
        made.append(b"encoded")
        return made[-1]

    record = ImageRecord("a", Path("a.png"), content=content)
    assert made == []
    assert record.source() == b"encoded"
    with pytest.raises(DataError, match="in memory"):
        record.file()
    assert len(made) == 1


def test_gathered_images_come_from_several_sequences_under_new_ids(tmp_path: Path) -> None:
    first, second = named(tmp_path / "1", "a.png", "b.png"), named(tmp_path / "2", "x/c.png")
    records = (ImageRecord("d", tmp_path / "d.png", 8, 6),)
    found = gather(
        [first.images, second.images, records], np.array([3, 0, 2]), np.array(["p", "q", "r"])
    )
    assert [record.id for record in found] == ["p", "q", "r"]
    assert [record.path.name for record in found[:3]] == ["d.png", "a.png", "c.png"]
    assert found[0].path == tmp_path / "d.png"
    assert list(found.files) == ["d.png", "a.png", "x/c.png"]
    assert found.sizes.tolist() == [[8, 6], [0, 0], [0, 0]]
    assert found[-1].id == "r"
