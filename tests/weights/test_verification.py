"""Files are verified before they are read, and remembered once they are readable."""

from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.errors import CheckpointError, IntegrityError
from zoo.registry.card import FileSource, UrlSource, Weights
from zoo.testing import LoopbackHub
from zoo.weights import WeightsRequest, cache_record
from zoo.weights.candidate import Candidate, from_source
from zoo.weights.verification import take

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
    record = cache_record.read(source.url)
    assert record is not None
    assert (record.sha256, record.entry) == (sha256(weights), "a/net.v1")


def test_another_file_than_promised_is_removed_and_never_read(
    hub: LoopbackHub, weights: bytes
) -> None:
    source = UrlSource(url=hub.add_file("net.safetensors", weights), sha256="0" * 64)
    with pytest.raises(IntegrityError, match="the card says 0000000000000000"):
        accepted(source)
    assert candidate(source)[0].carrier.find() is None
    assert cache_record.read(source.url) is None


def test_only_the_checkpoint_has_to_hold_tensors(hub: LoopbackHub) -> None:
    source = UrlSource(url=hub.add_file("words.json", b"{}"))
    assert accepted(source, "tokenizer").read_bytes() == b"{}"
    with pytest.raises(CheckpointError):
        accepted(UrlSource(url=hub.add_file("net.safetensors", b"{}")))


def test_a_file_of_the_user_is_never_removed(tmp_path: Path, weights: bytes) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(weights)
    with pytest.raises(IntegrityError):
        accepted(FileSource(path=str(path), sha256="0" * 64))
    assert path.read_bytes() == weights
