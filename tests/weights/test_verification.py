"""Files are verified before they are read, against what is promised of their sha256, and remembered
once they are readable."""

from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.errors import CheckpointError, IntegrityError, LockError, SourceError
from zoo.registry.card import FileSource, UrlSource, Weights
from zoo.testing import LoopbackHub
from zoo.weights import Pin, WeightsRequest, records
from zoo.weights.manifest import Item
from zoo.weights.sources import Local
from zoo.weights.url import Url
from zoo.weights.verification import Candidate, from_bundle, from_source, take

Digest = Callable[[bytes], str]


def candidate(
    source: UrlSource | FileSource, role: str = "model"
) -> tuple[Candidate, WeightsRequest]:
    request = WeightsRequest("a/net", "v1", Weights(files={role: [source]}), role=role)
    return from_source(source, source, request, None), request


def accepted(source: UrlSource | FileSource, role: str = "model") -> Path:
    return take(*candidate(source, role), progress=False).path


def test_a_verified_file_is_remembered_with_its_sha256(
    hub: LoopbackHub, weights: bytes, sha256: Digest
) -> None:
    source = UrlSource(url=hub.add_file("net.safetensors", weights))
    assert accepted(source).read_bytes() == weights
    record = records.read(source.url)
    assert record is not None
    assert (record.sha256, record.entry) == (sha256(weights), "a/net.v1")


def test_another_file_than_promised_is_removed_and_never_read(
    hub: LoopbackHub, weights: bytes
) -> None:
    source = UrlSource(url=hub.add_file("net.safetensors", weights), sha256="0" * 64)
    with pytest.raises(IntegrityError, match="the card says 0000000000000000"):
        accepted(source)
    assert candidate(source)[0].location.find() is None
    assert records.read(source.url) is None


def test_only_the_checkpoint_has_to_hold_tensors(hub: LoopbackHub) -> None:
    source = UrlSource(url=hub.add_file("words.json", b"{}"))
    assert accepted(source, "tokenizer").read_bytes() == b"{}"
    with pytest.raises(CheckpointError):
        accepted(UrlSource(url=hub.add_file("net.safetensors", b"{}")))


def test_a_file_of_the_user_is_never_removed(tmp_path: Path, weights: bytes) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(weights)
    with pytest.raises(IntegrityError) as refused:
        accepted(FileSource(path=str(path), sha256="0" * 64))
    assert refused.value.fix.endswith(f"make it again: {path}")
    assert path.read_bytes() == weights


A, B = "a" * 64, "b" * 64
ITEM = Item("https://e.org/a.safetensors", A, 5, file=f"{A}.safetensors")


def request(source: UrlSource | FileSource, origin: Path | None = None) -> WeightsRequest:
    return WeightsRequest("x/a", "v1", Weights(files={"model": [source]}, megabytes=1.0), origin)


def test_the_card_gives_the_sha256_and_the_largest_size() -> None:
    source = UrlSource(url="https://e.org/a.safetensors", sha256=A[:8])
    candidate = from_source(source, source, request(source), None)
    assert [(each.sha256, each.by) for each in candidate.checksums] == [(A[:8], "the card")]
    assert isinstance(candidate.location, Url)
    assert candidate.location.most == 4_000_000
    assert (candidate.key, candidate.through) == (source.url, None)


def test_the_lock_file_comes_before_the_card_and_may_not_contradict_it() -> None:
    source = UrlSource(url="https://e.org/a.safetensors", sha256=A[:8])
    candidate = from_source(source, source, request(source), Pin(source.url, A, 5))
    assert [each.by for each in candidate.checksums] == ["the lock file", "the card"]
    with pytest.raises(LockError, match="The card says sha256 aaaaaaaa, but the lock file says bb"):
        from_source(source, source, request(source), Pin(source.url, B, 5))


def test_a_mirror_is_remembered_under_the_address_of_the_card(tmp_path: Path) -> None:
    source, mirror = UrlSource(url="https://e.org/a.pth"), UrlSource(url="https://m.org/a.pth")
    candidate = from_source(source, mirror, request(source), None)
    assert (candidate.key, candidate.through) == (source.url, mirror.url)


def test_a_file_of_a_card_is_in_the_folder_of_the_card(tmp_path: Path) -> None:
    source = FileSource(path="a.safetensors")
    candidate = from_source(source, source, request(source, tmp_path), None)
    assert candidate.location == Local(tmp_path / "a.safetensors")
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
    assert [each.by for each in candidate.checksums] == ["bundle.json"]
    assert candidate.through == f"bundle:{tmp_path / ITEM.file}"
