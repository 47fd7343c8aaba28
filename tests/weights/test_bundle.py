"""A bundle is enough for a machine without network and without a cache."""

import hashlib
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

import zoo.weights
from zoo.errors import CacheError, CardError, IntegrityError, LockError, OfflineError, SourceError
from zoo.registry import catalogue, reload
from zoo.registry.card import UrlSource, Weights
from zoo.registry.registry_file import USER, read_registry_file
from zoo.testing import LoopbackHub
from zoo.weights import Lock, Manifest, WeightsRequest

FILE = "model.safetensors"


@pytest.fixture
def choices(hub: LoopbackHub, weights: bytes, pth: bytes, sha256) -> list[WeightsRequest]:
    net = UrlSource(url=hub.add_file(FILE, weights), sha256=sha256(weights))
    old = UrlSource(url=hub.add_file("old.pth", pth) + "?download=1")
    return [
        WeightsRequest("a/net", "v1", Weights(files={"model": [net]})),
        WeightsRequest("b/old", None, Weights(files={"model": [old]}, state_key="model")),
    ]


@pytest.fixture
def air_gap(choices: list[WeightsRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle of both, on a machine that has nothing else."""
    folder = tmp_path / "bundle"
    zoo.weights.bundle(choices, folder)
    monkeypatch.setenv("ZOO_HOME", str(tmp_path / "empty"))
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    monkeypatch.setenv("ZOO_BUNDLE", str(folder))
    return folder


def fetch(wanted: WeightsRequest) -> zoo.weights.WeightsFile:
    return zoo.weights.fetch(wanted.weights, name=wanted.name, tag=wanted.tag)


def test_files_lie_in_it_by_their_sha256_and_none_is_a_pickle(
    air_gap: Path, weights: bytes, sha256
) -> None:
    converted = Manifest.read(air_gap).weights["b/old"].converted
    files = {path.name for path in air_gap.iterdir()}
    assert files == {
        "bundle.json",
        "zoo.lock",
        f"{sha256(weights)}.safetensors",
        f"{converted}.safetensors",
    }
    assert sha256((air_gap / f"{converted}.safetensors").read_bytes()) == converted


def test_a_converted_file_needs_no_folder_to_write_to_and_says_what_it_was_made_from(
    air_gap: Path,
    choices: list[WeightsRequest],
    pth: bytes,
    sha256,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ZOO_HOME", str(tmp_path / "file" / "home"))
    old = fetch(choices[1])
    assert old.path.parent == air_gap
    assert (old.sha256, old.bytes, old.converted) == (
        sha256(pth),
        len(pth),
        sha256(old.path.read_bytes()),
    )
    assert old.source == choices[1].sources[0].url


def test_a_converted_file_goes_from_bundle_to_bundle(
    air_gap: Path, choices: list[WeightsRequest], tmp_path: Path
) -> None:
    before = Manifest.read(air_gap)
    assert zoo.weights.bundle(choices, tmp_path / "second") == before


def test_a_damaged_converted_file_is_an_error(air_gap: Path, choices: list[WeightsRequest]) -> None:
    (air_gap / Manifest.read(air_gap).weights["b/old"].file).write_bytes(b"damaged")
    with pytest.raises(IntegrityError, match=r"bundle.json says(.|\n)*Copy the bundle"):
        fetch(choices[1])
    assert [one.status for one in zoo.weights.verify(bundle=air_gap)] == ["ok", "damaged"]


def test_tensors_from_elsewhere_in_the_same_checkpoint_are_not_taken_for_these(
    air_gap: Path, choices: list[WeightsRequest]
) -> None:
    pinned = UrlSource(
        url="https://example.org/x.pth", sha256=Manifest.read(air_gap).weights["b/old"].sha256
    )
    assert (
        fetch(
            WeightsRequest("c/same", None, Weights(files={"model": [pinned]}, state_key="model"))
        ).path.parent
        == air_gap
    )
    with pytest.raises(OfflineError):
        fetch(WeightsRequest("c/other", None, Weights(files={"model": [pinned]}, state_key="ema")))


def test_a_bundle_with_the_published_pth_is_read_as_well(
    air_gap: Path, choices: list[WeightsRequest], pth: bytes, sha256, tmp_path: Path
) -> None:
    document = json.loads((air_gap / "bundle.json").read_text())
    document["weights"]["b/old"]["file"] = f"{sha256(pth)}.pth"
    (air_gap / "bundle.json").write_text(json.dumps(document))
    (air_gap / f"{sha256(pth)}.pth").write_bytes(pth)
    old = fetch(choices[1])
    assert old.sha256 == sha256(pth)
    assert old.path.is_relative_to(tmp_path / "empty")


@pytest.mark.parametrize("number", [0, 1])
def test_a_damaged_bundle_is_to_be_copied_again_whatever_is_locked(
    number: int, air_gap: Path, choices: list[WeightsRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_LOCK", str(air_gap / "zoo.lock"))
    (air_gap / Manifest.read(air_gap).weights[choices[number].entry].file).write_bytes(b"damaged")
    with pytest.raises(IntegrityError, match="Copy the bundle") as caught:
        fetch(choices[number])
    assert "zoo lock" not in str(caught.value)


def test_weights_come_out_of_it_without_network_and_cache(
    air_gap: Path, choices: list[WeightsRequest], weights: bytes, pth: bytes, sha256
) -> None:
    net, old = map(fetch, choices)
    assert net.path.read_bytes() == weights
    assert net.source == choices[0].sources[0].url
    assert str(air_gap) in net.through
    assert (old.sha256, old.path.suffix) == (sha256(pth), ".safetensors")


def test_its_lock_file_is_a_lock_file_of_the_same(
    air_gap: Path, choices: list[WeightsRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = fetch(choices[0])
    monkeypatch.setenv("ZOO_LOCK", str(air_gap / "zoo.lock"))
    assert fetch(choices[0]) == fetched
    assert set(Lock.read(air_gap / "zoo.lock").pins) == {"a/net.v1", "b/old"}


def test_weights_are_found_by_their_sha256_under_another_name(
    air_gap: Path, choices: list[WeightsRequest], weights: bytes
) -> None:
    assert fetch(WeightsRequest("alias/net", "v2", choices[0].weights)).path.read_bytes() == weights


def test_a_damaged_file_in_it_is_an_error_that_no_other_source_makes_good(
    air_gap: Path,
    choices: list[WeightsRequest],
    hub: LoopbackHub,
    weights: bytes,
    sha256,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ZOO_OFFLINE")
    file, asked = air_gap / f"{sha256(weights)}.safetensors", len(hub.requests)
    file.write_bytes(weights[:-1] + b"x")
    with pytest.raises(IntegrityError, match=r"bundle.json says(.|\n)*Copy the bundle") as error:
        fetch(choices[0])
    assert file.name in error.value.case
    assert str(air_gap) in error.value.case
    assert len(hub.requests) == asked


def test_a_file_that_is_missing_in_it_is_an_error_that_no_other_source_makes_good(
    air_gap: Path,
    choices: list[WeightsRequest],
    hub: LoopbackHub,
    weights: bytes,
    sha256,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ZOO_OFFLINE")
    (air_gap / f"{sha256(weights)}.safetensors").unlink()
    asked = len(hub.requests)
    with pytest.raises(SourceError, match=r"it is not there(.|\n)*Copy the bundle"):
        fetch(choices[0])
    assert len(hub.requests) == asked


def test_what_is_not_in_it_is_fetched_as_ever(
    air_gap: Path, hub: LoopbackHub, weights: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = WeightsRequest(
        "c/other",
        None,
        Weights(
            files={"model": [UrlSource(url=hub.add_file("other.safetensors", weights[:-1] + b"x"))]}
        ),
    )
    with pytest.raises(OfflineError):
        fetch(other)
    monkeypatch.delenv("ZOO_OFFLINE")
    assert fetch(other).bytes == len(weights)


def test_a_bundle_that_the_card_has_outgrown_is_not_used(
    air_gap: Path, choices: list[WeightsRequest]
) -> None:
    outgrown = WeightsRequest(
        "a/net",
        "v1",
        Weights(
            files={"model": [UrlSource(url="https://example.org/new.safetensors", sha256="0" * 64)]}
        ),
    )
    with pytest.raises(IntegrityError, match="names no such file any more"):
        fetch(outgrown)


def test_a_damaged_bundle_is_to_be_copied_again_whatever_a_lock_file_says(
    air_gap: Path, choices: list[WeightsRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_LOCK", str(air_gap / "zoo.lock"))
    file = air_gap / Manifest.read(air_gap).weights["a/net.v1"].file
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(IntegrityError, match="Copy the bundle to this machine again"):
        fetch(choices[0])


def test_a_lock_that_names_another_file_rules_it_out(
    air_gap: Path, choices: list[WeightsRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = Lock.read(air_gap / "zoo.lock").pins
    Lock({"a/net.v1": pins["b/old"]}).write(tmp_path / "zoo.lock")
    monkeypatch.setenv("ZOO_LOCK", str(tmp_path / "zoo.lock"))
    with pytest.raises(LockError):
        fetch(choices[0])


def test_a_second_bundle_adds_to_the_first(choices: list[WeightsRequest], tmp_path: Path) -> None:
    zoo.weights.bundle(choices[:1], tmp_path)
    manifest = zoo.weights.bundle(choices[1:], tmp_path)
    assert set(manifest.weights) == set(Manifest.read(tmp_path).weights) == {"a/net.v1", "b/old"}


@pytest.mark.parametrize("text", [None, "{", '{"weights": {"a": {"file": "../../etc/passwd"}}}'])
def test_a_folder_that_is_no_bundle_is_named(
    text: str | None, choices: list[WeightsRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text is not None:
        (tmp_path / "bundle.json").write_text(text)
    monkeypatch.setenv("ZOO_BUNDLE", str(tmp_path))
    with pytest.raises(SourceError, match=r"bundle.json can't be(.|\n)*zoo bundle"):
        fetch(choices[0])


def test_an_item_cant_name_a_file_outside_the_folder(air_gap: Path) -> None:
    document = json.loads((air_gap / "bundle.json").read_text())
    document["weights"]["a/net.v1"]["file"] = "../secret.pth"
    (air_gap / "bundle.json").write_text(json.dumps(document))
    with pytest.raises(SourceError, match="file"):
        Manifest.read(air_gap)


def test_a_folder_that_cant_be_written_is_named(
    choices: list[WeightsRequest], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CacheError, match="Name another folder with --to"):
        zoo.weights.bundle(choices, tmp_path / "file" / "bundle")


def test_a_bundled_file_that_was_damaged_is_copied_again(
    choices: list[WeightsRequest], tmp_path: Path, weights: bytes, sha256
) -> None:
    zoo.weights.bundle(choices, tmp_path)
    file = tmp_path / f"{sha256(weights)}.safetensors"
    file.write_bytes(b"damaged")
    zoo.weights.bundle(choices, tmp_path)
    assert file.read_bytes() == weights


def test_cards_of_a_second_bundle_join_those_of_the_first(
    choices: list[WeightsRequest], tmp_path: Path
) -> None:
    one = {"architecture": "a/b", "labels": ["1e5", "no"], "arguments": {"seed": "1234e567"}}
    zoo.weights.bundle(
        choices[:1], tmp_path, registry={"cards": {"one": one}, "aliases": {"uno": "user/one"}}
    )
    zoo.weights.bundle(
        choices[1:],
        tmp_path,
        registry={"cards": {"two": {"architecture": "a/b", "labels": "coco80"}}},
    )
    manifest = zoo.weights.bundle(choices[1:], tmp_path)
    registry_file = read_registry_file(tmp_path / "registry.yaml", owner=USER)
    assert registry_file.names == ["one", "two", "uno"]
    assert (registry_file.card(0).labels, registry_file.card(0).arguments) == (
        one["labels"],
        one["arguments"],
    )
    assert (
        manifest.registry == hashlib.sha256((tmp_path / "registry.yaml").read_bytes()).hexdigest()
    )


def test_a_fetch_that_fails_leaves_no_bundle(hub: LoopbackHub, tmp_path: Path) -> None:
    gone = WeightsRequest(
        "a/gone", None, Weights(files={"model": [UrlSource(url=f"{hub.endpoint}/gone.pth")]})
    )
    with pytest.raises((SourceError, IntegrityError)):
        zoo.weights.bundle([gone], tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_a_bundle_that_has_no_room_is_to_go_to_another_folder(
    choices: list[WeightsRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo.weights.bundle(choices, tmp_path / "first")  # so that the cache has the files
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1))
    with pytest.raises(
        CacheError, match=r"Free some space\. Name another folder with --to"
    ) as raised:
        zoo.weights.bundle(choices, tmp_path / "bundle")
    assert "ZOO_HOME" not in str(raised.value)


def test_nothing_of_a_bundle_is_a_link_that_leads_out_of_it(
    air_gap: Path, choices: list[WeightsRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bundle.json", "registry.yaml"):
        there = air_gap / name
        (tmp_path / name).write_bytes(
            there.read_bytes() if there.exists() else b"schema: 2\ncards: {}\n"
        )
        there.unlink(missing_ok=True)
        there.symlink_to(tmp_path / name)
    with pytest.raises(
        SourceError, match=r"bundle.json can't be read(.|\n)*leads out of its folder"
    ):
        zoo.weights.verify(bundle=air_gap)
    monkeypatch.setenv("ZOO_BUNDLE", str(air_gap))
    reload()
    with pytest.raises(CardError, match=r"'registry\.yaml' is a link that leads out of its folder"):
        catalogue()
