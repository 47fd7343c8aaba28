"""Places to get a file: what its sha256 has to be, and who says so."""

from pathlib import Path

import pytest

from zoo.errors import IntegrityError, LockError, SourceError
from zoo.registry.card import FileSource, UrlSource, Weights
from zoo.weights import Pin, WeightsRequest
from zoo.weights.candidate import from_bundle, from_source
from zoo.weights.local import Local
from zoo.weights.manifest import Item
from zoo.weights.url import Url

A, B = "a" * 64, "b" * 64
ITEM = Item("https://e.org/a.safetensors", A, 5, file=f"{A}.safetensors")


def request(source: UrlSource | FileSource, origin: Path | None = None) -> WeightsRequest:
    return WeightsRequest("x/a", "v1", Weights(files={"model": [source]}, megabytes=1.0), origin)


def test_the_card_gives_the_sha256_and_the_largest_size() -> None:
    source = UrlSource(url="https://e.org/a.safetensors", sha256=A[:8])
    candidate = from_source(source, source, request(source), None)
    assert [(promise.sha256, promise.by) for promise in candidate.promises] == [(A[:8], "the card")]
    assert isinstance(candidate.carrier, Url)
    assert candidate.carrier.most == 4_000_000
    assert (candidate.key, candidate.through) == (source.url, None)


def test_the_lock_file_comes_before_the_card_and_may_not_contradict_it() -> None:
    source = UrlSource(url="https://e.org/a.safetensors", sha256=A[:8])
    candidate = from_source(source, source, request(source), Pin(source.url, A, 5))
    assert [promise.by for promise in candidate.promises] == ["the lock file", "the card"]
    with pytest.raises(LockError, match="The card says sha256 aaaaaaaa, but the lock file says bb"):
        from_source(source, source, request(source), Pin(source.url, B, 5))


def test_a_mirror_is_remembered_under_the_address_of_the_card(tmp_path: Path) -> None:
    source, mirror = UrlSource(url="https://e.org/a.pth"), UrlSource(url="https://m.org/a.pth")
    candidate = from_source(source, mirror, request(source), None)
    assert (candidate.key, candidate.through) == (source.url, mirror.url)


def test_a_file_of_a_card_is_in_the_folder_of_the_card(tmp_path: Path) -> None:
    source = FileSource(path="a.safetensors")
    candidate = from_source(source, source, request(source, tmp_path), None)
    assert candidate.carrier == Local(tmp_path / "a.safetensors")
    assert candidate.key == f"file:{tmp_path / 'a.safetensors'}"


def test_a_bundle_with_another_file_than_the_card_names_is_refused(tmp_path: Path) -> None:
    wanted = request(UrlSource(url="https://e.org/new.safetensors", sha256=B))
    with pytest.raises(IntegrityError, match="the card names no such file any more"):
        from_bundle(ITEM, tmp_path, wanted, None)
    with pytest.raises(LockError):
        from_bundle(ITEM, tmp_path, wanted, Pin(ITEM.source, A, 5))


def test_a_file_that_the_bundle_only_lists_is_named(tmp_path: Path) -> None:
    wanted = request(UrlSource(url="https://e.org/a.safetensors"))
    with pytest.raises(SourceError, match="The bundle lists that file, but it is not there"):
        from_bundle(ITEM, tmp_path, wanted, None)
    (tmp_path / ITEM.file).touch()
    candidate = from_bundle(ITEM, tmp_path, wanted, None)
    assert [promise.by for promise in candidate.promises] == ["bundle.json"]
    assert candidate.through == f"bundle:{tmp_path / ITEM.file}"
