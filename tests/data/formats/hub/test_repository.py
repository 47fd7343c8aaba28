"""The files of a data set: which are listed, fetched and believed."""

from pathlib import Path

import pytest

from tests.data.formats.hub.conftest import REPO
from zoo.data.formats.hub.repository import MAX_SINGLE_FETCHES, folder_files, hub_files
from zoo.errors import DataError
from zoo.testing import Fault, LoopbackHub

DATASET = f"datasets/{REPO}"
MANY = {f"images/{number:03}.png": b"%d" % number for number in range(4 * MAX_SINGLE_FETCHES)}


def test_a_folder_is_listed_without_what_is_hidden(tmp_path: Path) -> None:
    for name in ("b/c d.png", "a.parquet", ".git/x", ".DS_Store", "b/ä/1.PNG"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    files = folder_files(tmp_path)
    assert files.names == ("a.parquet", "b/c d.png", "b/ä/1.PNG")
    assert files.path("a.parquet").read_bytes() == b"1"
    assert (files.called, files.commit, files.address) == (tmp_path.name, "", str(tmp_path))
    files.fetch(["not there"])  # nothing is fetched for a folder


@pytest.mark.parametrize(("name", "case"), [("none", "It is not there"), ("file", "It is a file")])
def test_what_is_no_folder_is_said(tmp_path: Path, name: str, case: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match=rf"{case}(.|\n)*Name the folder"):
        folder_files(tmp_path / name)


def test_many_files_are_fetched_at_once_and_only_those_that_are_missing(hub: LoopbackHub) -> None:
    commit = hub.add(DATASET, MANY)
    files = hub_files(REPO)
    assert files.commit == commit
    assert set(files.names) == set(MANY)
    some = list(files.names)[:MAX_SINGLE_FETCHES]
    files.fetch(some)
    assert hub.bodies("*images*") == len(some)
    files.fetch(files.names)
    assert hub.bodies("*images*") == len(MANY)
    assert {name: files.path(name).read_bytes() for name in files.names} == MANY
    files.fetch(files.names)
    assert hub.bodies("*images*") == len(MANY)


def test_one_of_many_that_fails_ends_all_and_is_named(hub: LoopbackHub) -> None:
    hub.add(DATASET, MANY)
    hub.misbehave("*images/007*", Fault.status(404), times=None, method="*")
    files = hub_files(REPO)
    with pytest.raises(DataError, match=r"images/007.png can't be read(.|\n)*404"):
        files.fetch(files.names)


def test_offline_those_that_are_missing_are_counted(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(DATASET, MANY)
    files = hub_files(REPO)
    files.fetch(files.names[:2])
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    again = hub_files(REPO)
    assert again == files
    again.fetch(files.names[:2])
    with pytest.raises(DataError, match=r"30 of its 32 files are not on this machine, as 'images"):
        again.fetch(files.names)


def test_hidden_files_of_a_repository_are_not_listed(hub: LoopbackHub) -> None:
    hub.add(DATASET, {".gitattributes": b"*", "data/.hidden/1.png": b"1", "data/1.png": b"1"})
    names = hub_files(REPO).names
    assert "data/1.png" in names
    assert ".gitattributes" not in names


@pytest.mark.parametrize("place", ["scenes", "a/b/c", "org/", "/scenes", "org/scenes@", "o g/n"])
def test_what_is_no_name_is_said_without_asking(hub: LoopbackHub, place: str) -> None:
    with pytest.raises(DataError, match=r"is not the name of a data set(.|\n)*hub:ORG/NAME"):
        hub_files(place)
    assert hub.requests == ()
