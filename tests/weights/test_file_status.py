"""`verify` trusts no stamp: every file is hashed again."""

import os
from pathlib import Path

import pytest

import zoo.weights
from zoo.errors import CacheError
from zoo.registry.card import FileSource, HubSource, UrlSource, Weights
from zoo.testing import LoopbackHub
from zoo.weights import WeightsRequest

FILE = "model.safetensors"


@pytest.fixture
def choices(hub: LoopbackHub, weights: bytes, pth: bytes) -> list[WeightsRequest]:
    """One from the Hub, one from a web server that has to be converted."""
    net = HubSource(repo="org/net", revision=hub.add("org/net", {FILE: weights}), file=FILE)
    old = UrlSource(url=hub.add_file("old.pth", pth))
    return [
        WeightsRequest("a/net", "v1", Weights(files={"model": [net]})),
        WeightsRequest("b/old", None, Weights(files={"model": [old]}, state_key="model")),
    ]


@pytest.fixture
def fetched(choices: list[WeightsRequest]) -> list[zoo.weights.WeightsFile]:
    return [zoo.weights.fetch(one.weights, name=one.name, tag=one.tag) for one in choices]


def damage(path: Path) -> None:
    """Flips a byte and keeps the stamp, as a bad disk does."""
    stat = path.stat()
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def statuses(results: list[zoo.weights.FileStatus]) -> dict[str, str]:
    return {result.path.name if result.path else result.entry: result.status for result in results}


def test_whole_files_are_ok_published_and_converted(
    choices: list[WeightsRequest], fetched: list[zoo.weights.WeightsFile]
) -> None:
    expected = {FILE: "ok", "old.pth": "ok", fetched[1].path.name: "ok"}
    assert statuses(zoo.weights.verify(choices)) == statuses(zoo.weights.verify()) == expected


def test_only_what_was_asked_for_is_hashed(
    choices: list[WeightsRequest], fetched: list[zoo.weights.WeightsFile]
) -> None:
    assert statuses(zoo.weights.verify(choices[:1])) == {FILE: "ok"}


@pytest.mark.parametrize("which", ["hub", "published", "converted"])
def test_a_flipped_byte_is_found_though_the_stamp_is_the_same(
    choices: list[WeightsRequest], fetched: list[zoo.weights.WeightsFile], which: str
) -> None:
    path = {
        "hub": fetched[0].path,
        "published": fetched[1].published,
        "converted": fetched[1].path,
    }[which]
    contents = [one.path.read_bytes() for one in fetched]
    damage(path)
    found = [one for one in zoo.weights.verify() if one.status != "ok"]
    assert [(one.path, one.status) for one in found] == [(path, "damaged")]
    zoo.weights.remove(found[0])
    assert not path.exists()
    again = [zoo.weights.fetch(one.weights, name=one.name, tag=one.tag) for one in choices]
    assert [one.path.read_bytes() for one in again] == contents
    assert path.exists() == (which != "published")  # of which the converted copy is enough


def test_what_is_gone_is_missing(
    choices: list[WeightsRequest], fetched: list[zoo.weights.WeightsFile]
) -> None:
    fetched[1].published.unlink()
    assert statuses(zoo.weights.verify(choices))["old.pth"] == "missing"


def test_what_was_never_fetched_is_said_to_be_so(choices: list[WeightsRequest]) -> None:
    assert statuses(zoo.weights.verify(choices)) == {
        "a/net.v1": "not fetched",
        "b/old": "not fetched",
    }
    assert zoo.weights.verify() == []


def test_a_file_of_the_users_is_never_called_damaged_and_never_removed(
    tmp_path: Path, weights: bytes
) -> None:
    file = tmp_path / "mine.safetensors"
    file.write_bytes(weights)
    zoo.weights.fetch(Weights(files={"model": [FileSource(path=str(file))]}), name="a/mine")
    damage(file)
    (result,) = zoo.weights.verify()
    assert result.status == "changed"
    zoo.weights.remove(result)
    assert file.exists()


def test_a_damaged_bundle_is_found_but_not_taken_apart(
    choices: list[WeightsRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo.weights.bundle(choices[:1], tmp_path / "bundle")
    monkeypatch.setenv("ZOO_HOME", str(tmp_path / "other"))
    monkeypatch.setenv("ZOO_BUNDLE", str(tmp_path / "bundle"))
    path = zoo.weights.fetch(choices[0].weights, name="a/net", tag="v1").path
    damage(path)
    (result,) = zoo.weights.verify(choices[:1])
    assert (result.path, result.status) == (path, "damaged")
    with pytest.raises(CacheError, match="not ours"):
        zoo.weights.remove(result)
    assert path.exists()


@pytest.fixture
def carried(choices: list[WeightsRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle of both, with a card, on a machine that has never loaded from it."""
    folder = tmp_path / "bundle"
    zoo.weights.bundle(
        choices, folder, registry={"cards": {"net": {"architecture": "a/b", "labels": "coco80"}}}
    )
    monkeypatch.setenv("ZOO_HOME", str(tmp_path / "other"))
    return folder


@pytest.mark.parametrize("named", ["by ZOO_BUNDLE", "by its folder"])
def test_a_bundle_is_verified_before_anything_was_loaded_from_it(
    carried: Path, choices: list[WeightsRequest], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if named == "by ZOO_BUNDLE":
        monkeypatch.setenv("ZOO_BUNDLE", str(carried))
    folder = None if named == "by ZOO_BUNDLE" else carried
    before = zoo.weights.verify(bundle=folder)
    assert [(one.entry, one.status, one.bundle) for one in before] == [
        ("a/net.v1", "ok", carried),
        ("b/old", "ok", carried),
        ("the cards in it", "ok", carried),
    ]
    damage(before[0].path)
    before[1].path.unlink()
    damage(before[2].path)
    assert [one.status for one in zoo.weights.verify(bundle=folder)] == [
        "damaged",
        "missing",
        "damaged",
    ]
    assert [one.status for one in zoo.weights.verify(choices[:1], bundle=folder)] == ["damaged"]


def test_a_bundle_that_is_used_is_hashed_once(
    carried: Path, choices: list[WeightsRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_BUNDLE", str(carried))
    old = zoo.weights.fetch(choices[1].weights, name=choices[1].name)
    files = [one.path for one in zoo.weights.verify()]
    assert sorted(files) == sorted(one.path for one in zoo.weights.verify(bundle=carried))
    assert old.path in files
    assert [one.path for one in zoo.weights.verify(choices[1:])] == [old.path]


def test_a_link_in_a_cache_is_removed_and_what_it_leads_to_stays(
    choices: list[WeightsRequest], fetched: list[zoo.weights.WeightsFile], tmp_path: Path
) -> None:
    for one in fetched:
        path = one.published
        mine = tmp_path / f"mine-{path.name}"
        mine.write_bytes(b"mine")
        path.unlink()
        path.symlink_to(mine)
    for found in zoo.weights.verify():
        zoo.weights.remove(found)
    assert not any(one.published.is_symlink() for one in fetched)
    assert len([path for path in tmp_path.glob("mine-*") if path.read_bytes() == b"mine"]) == 2
