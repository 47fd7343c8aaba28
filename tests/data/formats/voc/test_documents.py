"""Many VOC files, in one process and in several."""

from pathlib import Path

import numpy as np
import pytest

from tests.data.formats.voc.folder import item, written
from zoo.data import Dataset, GroundTruth, ImageRecord, read, workers, write
from zoo.data import check as checked
from zoo.data.difference import difference
from zoo.data.formats.voc import documents, writer
from zoo.data.formats.voc.documents import read_documents
from zoo.errors import DataError

BOMB = '<!DOCTYPE annotation [<!ENTITY a "aaaa">]><annotation>&a;</annotation>'


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes, however few files there are."""
    monkeypatch.setattr(workers, "cores", lambda: 2)
    monkeypatch.setattr(documents, "MIN_FILES_PER_PROCESS", 1)
    monkeypatch.setattr(writer, "MIN_FILES_PER_PROCESS", 1)


def made(images: int = 9) -> Dataset:
    """Classes that some files lack, a flag that few boxes have, images without boxes, folders."""
    random = np.random.default_rng(0)
    owner = np.sort(random.integers(0, images - 1, 30))
    boxes = {
        "image": [f"{'far/' if row % 2 else ''}{row}" for row in owner.tolist()],
        "label": np.minimum(owner, 3),
        "box": np.concatenate([random.uniform(0, 9, (30, 2)), random.uniform(10, 20, (30, 2))], 1),
        "difficult": owner > images - 3,
    }
    ids = [f"{'far/' if row % 2 else ''}{row}" for row in range(images)]
    truth = GroundTruth.of(ids, boxes, label_space=["d & <d>", "c", "é", "a"])
    records = [ImageRecord(str(one), Path(f"{one}.jpg"), 40, 30) for one in truth.image_ids]
    return Dataset("site", records, truth)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.xml")}


def test_several_processes_write_the_same_files(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    write(made(), f"voc:{tmp_path / 'one'}")
    request.getfixturevalue("several")
    write(made(), f"voc:{tmp_path / 'two'}")
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert len(files(tmp_path / "one")) == 9


def test_several_processes_read_the_same_data(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    write(made(), f"voc:{tmp_path}")
    one = read(f"voc:{tmp_path}")
    request.getfixturevalue("several")
    two = read(f"voc:{tmp_path}")
    assert not difference(one, two)
    assert one.truth.sha256 == two.truth.sha256
    assert one.truth.box_attributes["difficult"].tolist() == [
        *two.truth.box_attributes["difficult"]
    ]


@pytest.mark.usefixtures("several")
def test_a_bomb_is_refused_in_any_process(tmp_path: Path) -> None:
    for name in "abcd":
        written(tmp_path, f"{name}.xml", item(1, 1, 9, 9), image=f"{name}.jpg")
    for name in "ad":
        (tmp_path / "Annotations" / f"{name}.xml").write_text(BOMB)
    with pytest.raises(DataError, match="has a DOCTYPE") as caught:
        read(tmp_path)
    assert "a.xml" in str(caught.value)
    found = [one for one in checked(tmp_path).findings if one.check == "unreadable_annotations"]
    assert [one.image for one in found] == ["a.xml", "d.xml"]


@pytest.mark.usefixtures("several")
def test_a_full_disk_is_told_by_whichever_process_it_meets(tmp_path: Path) -> None:
    taken = tmp_path / "site"
    taken.write_text("a file")
    with pytest.raises(DataError, match="can't be written"):
        write(made(), f"voc:{taken}")
    assert taken.read_text() == "a file"


def test_columns_are_one_file_after_another(tmp_path: Path) -> None:
    written(tmp_path, "a.xml", item(1, 2, 3, 4, name="b"), item(5, 6, 7, 8, name="a"))
    written(tmp_path, "b.xml", item(9, 9, 9, 9, name="a", more="<truncated>1</truncated>"))
    found = read_documents(tmp_path / "Annotations", ["a.xml", "b.xml"])
    assert found.counts.tolist() == [2, 1]
    assert [found.classes[label] for label in found.labels] == ["b", "a", "a"]
    assert found.corners.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 9, 9, 9]]
    assert {key: values.tolist() for key, values in found.flags.items()} == {
        "truncated": [False, False, True]
    }
