"""Files that are already there: in the cache, converted, or the user's own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load, load_file

import zoo.weights
from zoo.errors import (
    IntegrityError,
    OfflineError,
)
from zoo.registry.card import FileSource, Source, UrlSource, Weights
from zoo.testing import LoopbackHub
from zoo.weights.records import file_of

Digest = Callable[[bytes], str]
REPO, FILE = "org/repo", "model.safetensors"


def fetch(*sources: Source, **options: object) -> zoo.weights.WeightsFile:
    return zoo.weights.fetch(
        Weights(files={"model": list(sources)}), name="toy/net", tag="v1", **options
    )


def test_a_file_without_a_published_hash_has_to_stay_what_it_was_first(
    hub: LoopbackHub, weights: bytes, pth: bytes
) -> None:
    url = UrlSource(url=hub.add_file(FILE, weights))
    first = fetch(url)
    first.path.unlink()
    hub.add_file(FILE, weights[:-1] + b"x")
    with pytest.raises(IntegrityError, match="first download") as error:
        fetch(url)
    assert str(file_of(url.url)) in error.value.fix
    file_of(url.url).unlink()
    assert fetch(url).sha256 != first.sha256


def test_a_flipped_byte_in_the_cache_is_found_and_the_file_fetched_again(
    source: Source, weights: bytes
) -> None:
    path = fetch(source).path
    path.write_bytes(weights[:-1] + b"x")
    assert fetch(source).path.read_bytes() == weights


def test_a_truncated_file_in_the_cache_is_fetched_again(source: Source, weights: bytes) -> None:
    path = fetch(source).path
    path.write_bytes(weights[:1000])
    assert fetch(source).path.read_bytes() == weights


def test_a_damaged_file_is_not_used_offline_and_not_removed(
    source: Source, weights: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fetch(source).path
    path.write_bytes(weights[:-1] + b"x")
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(IntegrityError, match=r"is damaged, or is another file now") as error:
        fetch(source)
    assert str(path) in error.value.case
    assert (
        error.value.fix
        == "Where there is a network: zoo verify --remove toy/net.v1, then zoo pull toy/net.v1"
    )
    assert path.exists()


def test_offline_what_is_missing_is_named_with_a_way_to_get_it(
    source: Source, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OfflineError, match=r"zoo pull toy/net.v1(.|\n)*zoo bundle"):
        fetch(source)
    assert hub.requests == ()


def test_a_relative_file_is_beside_the_registry_file(tmp_path: Path, weights: bytes) -> None:
    (tmp_path / "mine.safetensors").write_bytes(weights)
    registry = tmp_path / "registry.yaml"
    registry.touch()
    for origin in (registry, tmp_path):
        assert (
            fetch(FileSource(path="mine.safetensors"), origin=origin).path
            == tmp_path / "mine.safetensors"
        )


def test_a_file_of_the_users_that_changed_is_simply_the_new_one(
    tmp_path: Path, weights: bytes, sha256: Digest
) -> None:
    file = tmp_path / "mine.safetensors"
    file.write_bytes(weights)
    assert fetch(FileSource(path=str(file))).sha256 == sha256(weights)
    changed = weights[:-1] + b"x"
    file.write_bytes(changed)
    assert fetch(FileSource(path=str(file))).sha256 == sha256(changed)


def test_a_file_of_the_users_that_is_not_the_promised_one_stays_where_it_is(
    tmp_path: Path, weights: bytes
) -> None:
    file = tmp_path / "mine.safetensors"
    file.write_bytes(weights)
    with pytest.raises(IntegrityError, match="the card says 00000000"):
        fetch(FileSource(path=str(file), sha256="00000000"))
    assert file.exists()


def test_a_pth_is_converted_once_and_both_hashes_are_known(
    hub: LoopbackHub, pth: bytes, weights: bytes, sha256: Digest
) -> None:
    card = Weights(
        files={"model": [UrlSource(url=hub.add_file("net.pth", pth), sha256=sha256(pth)[:8])]},
        state_key="model",
    )
    first = zoo.weights.fetch(card, name="toy/net")
    assert first.sha256 == sha256(pth)
    assert first.converted == sha256(first.path.read_bytes())
    assert load_file(first.path)["conv.weight"].equal(load(weights)["conv.weight"])
    before = first.path.stat().st_mtime_ns
    assert zoo.weights.fetch(card, name="toy/net") == first
    assert first.path.stat().st_mtime_ns == before


def test_a_second_fetch_asks_nobody(source: Source, hub: LoopbackHub) -> None:
    first = fetch(source)
    asked = len(hub.requests)
    assert fetch(source) == first
    assert len(hub.requests) == asked
