"""Weights of several files: each is fetched, verified, locked and bundled by its role."""

from collections.abc import Callable
from pathlib import Path

import pytest

import zoo.weights
from zoo.errors import IntegrityError, LockError
from zoo.registry.card import UrlSource, Weights
from zoo.testing import LoopbackHub
from zoo.weights import Lock, Manifest, WeightsRequest

Digest = Callable[[bytes], str]
WORDS = b'{"helmet": 0, "vest": 1}'


@pytest.fixture
def several(hub: LoopbackHub, weights: bytes, sha256: Digest) -> WeightsRequest:
    """Weights that need a vocabulary, which is listed before the checkpoint."""
    model = UrlSource(url=hub.add_file("model.safetensors", weights), sha256=sha256(weights))
    words = UrlSource(url=hub.add_file("words.json", WORDS), sha256=sha256(WORDS))
    return WeightsRequest("a/net", "v1", Weights(files={"tokenizer": [words], "model": [model]}))


def fetch(wanted: WeightsRequest) -> zoo.weights.WeightsFile:
    return zoo.weights.fetch(
        wanted.weights, name=wanted.name, tag=wanted.tag, role=wanted.role, progress=False
    )


def test_a_file_of_another_role_is_what_was_published(several: WeightsRequest) -> None:
    model, words = map(fetch, several.every_file())
    assert words.path.read_bytes() == WORDS
    assert words.path.name == "words.json"
    assert model.path != words.path
    assert [result.status for result in zoo.weights.verify([several])] == ["ok", "ok"]


def test_its_sha256_is_checked_before_it_is_used(
    several: WeightsRequest, hub: LoopbackHub, sha256: Digest
) -> None:
    other = UrlSource(url=hub.add_file("other.json", WORDS + b" "), sha256=sha256(WORDS))
    weights = Weights(files={**several.weights.files, "tokenizer": [other]})
    with pytest.raises(IntegrityError, match=r"a/net\.v1:tokenizer"):
        zoo.weights.fetch(weights, name="a/net", tag="v1", role="tokenizer", progress=False)


def test_a_lock_pins_every_file(
    several: WeightsRequest,
    hub: LoopbackHub,
    sha256: Digest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lock = zoo.weights.relock([several], progress=False)
    assert lock.pins["a/net.v1:tokenizer"].sha256 == sha256(WORDS)
    assert lock.pins["a/net.v1"].source == several.sources[0].url
    lock.write(tmp_path / "zoo.lock")
    monkeypatch.chdir(tmp_path)
    new = UrlSource(url=hub.add_file("new.json", b"{}"), sha256=sha256(b"{}"))
    weights = Weights(files={**several.weights.files, "tokenizer": [new]})
    with pytest.raises(LockError, match="the lock file says"):
        zoo.weights.fetch(weights, name="a/net", tag="v1", role="tokenizer", progress=False)


def test_a_bundle_has_every_file(
    several: WeightsRequest, sha256: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bundle"
    zoo.weights.bundle([several], folder, progress=False)
    item = Manifest.read(folder).weights["a/net.v1:tokenizer"]
    assert item.file == f"{sha256(WORDS)}.json"
    assert set(Lock.read(folder / "zoo.lock").pins) == {"a/net.v1", "a/net.v1:tokenizer"}
    monkeypatch.setenv("ZOO_HOME", str(tmp_path / "empty"))
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    monkeypatch.setenv("ZOO_BUNDLE", str(folder))
    words = fetch(several.every_file()[1])
    assert (words.path, words.path.read_bytes()) == (folder / item.file, WORDS)
    assert {result.status for result in zoo.weights.verify([several], bundle=folder)} == {"ok"}


def test_a_damaged_file_of_another_role_is_found(several: WeightsRequest) -> None:
    words = fetch(several.every_file()[1])
    words.path.chmod(0o644)
    words.path.write_bytes(b"{}")
    results = zoo.weights.verify([several])
    assert [(result.entry, result.status) for result in results] == [
        ("a/net.v1", "not fetched"),
        ("a/net.v1:tokenizer", "damaged"),
    ]
