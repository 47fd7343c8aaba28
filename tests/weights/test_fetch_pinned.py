"""Mirrors, lock files and settings decide what is fetched, and from where."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import zoo.weights
from zoo.errors import (
    IntegrityError,
    LockError,
    UsageError,
)
from zoo.registry.card import HubSource, Source, UrlSource, Weights
from zoo.testing import LoopbackHub
from zoo.weights import Lock, Pin, WeightsRequest

Digest = Callable[[bytes], str]
REPO, FILE = "org/repo", "model.safetensors"


def fetch(*sources: Source, **options: object) -> zoo.weights.WeightsFile:
    return zoo.weights.fetch(
        Weights(files={"model": list(sources)}), name="toy/net", tag="v1", **options
    )


def test_a_mirror_replaces_the_original(source: Source, hub: LoopbackHub, weights: bytes) -> None:
    with LoopbackHub() as mirror:
        mirror.add_file(f"org/repo/resolve/{getattr(source, 'revision', '')}/{FILE}", weights)
        mirror.add_file(f"mirrored/{FILE}", weights)
        mirrors = {
            "hub:": f"{mirror.endpoint}/",
            f"{hub.endpoint}/files/": f"{mirror.endpoint}/mirrored/",
        }
        fetched = fetch(source, mirrors=mirrors)
    assert fetched.path.read_bytes() == weights
    assert mirror.endpoint in (fetched.through or "")
    assert hub.requests == ()


def test_a_mirror_can_be_a_folder(
    hub: LoopbackHub, weights: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILE).write_bytes(weights)
    monkeypatch.setenv("ZOO_MIRRORS", f"https://far.example/=file://{tmp_path}/")
    fetched = fetch(UrlSource(url=f"https://far.example/{FILE}"))
    assert fetched.path == tmp_path / FILE
    assert fetched.source == f"https://far.example/{FILE}"


def test_a_mirror_with_another_file_is_refused(
    source: Source, hub: LoopbackHub, weights: bytes, tmp_path: Path
) -> None:
    other = tmp_path / FILE
    other.write_bytes(weights[:-1] + b"x")
    prefix = "hub:" if isinstance(source, HubSource) else hub.endpoint
    place = (
        tmp_path / "org/repo/resolve" / source.revision
        if isinstance(source, HubSource)
        else tmp_path / "files"
    )
    place.mkdir(parents=True)
    other.rename(place / FILE)
    with pytest.raises(IntegrityError, match="mirrored to file:"):
        fetch(source, mirrors={prefix: f"file://{tmp_path}{'/' if prefix == 'hub:' else ''}"})


def test_a_lock_file_is_obeyed(
    hub: LoopbackHub, weights: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = UrlSource(url=hub.add_file(FILE, weights))
    fetched = fetch(url)
    lock = tmp_path / "zoo.lock"
    Lock({"toy/net.v1": Pin.of(fetched)}).write(lock)
    monkeypatch.setenv("ZOO_LOCK", str(lock))
    assert fetch(url) == fetched
    changed = weights[:-1] + b"x"
    hub.add_file(FILE, changed)
    fetched.path.unlink()
    with pytest.raises(LockError, match=r"lock file says(.|\n)*zoo lock"):
        fetch(url)


def test_a_wrong_line_in_a_lock_file_takes_no_good_file_away(
    hub: LoopbackHub, weights: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = UrlSource(url=hub.add_file(FILE, weights))
    pin = Pin.of(fetch(url))
    Lock({"toy/net.v1": replace(pin, sha256="0" * 64)}).write(tmp_path / "zoo.lock")
    monkeypatch.setenv("ZOO_LOCK", str(tmp_path / "zoo.lock"))
    with pytest.raises(LockError):
        fetch(url)
    monkeypatch.setenv("ZOO_LOCK", "")
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    assert fetch(url).path.read_bytes() == weights


@pytest.mark.parametrize("setting", ["ZOO_OFFLINE", "ZOO_TIMEOUT", "ZOO_RETRIES"])
def test_a_setting_that_can_not_be_is_told_even_where_nothing_has_to_be_fetched(
    setting: str, hub: LoopbackHub, weights: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = UrlSource(url=hub.add_file(FILE, weights))
    fetch(url)
    monkeypatch.setenv(setting, "maybe")
    with pytest.raises(UsageError, match=setting):
        fetch(url)


def test_a_source_that_the_lock_rules_out_is_not_even_asked(
    hub: LoopbackHub,
    weights: bytes,
    sha256: Digest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Lock({"toy/net.v1": Pin.of(fetch(UrlSource(url=hub.add_file(FILE, weights))))}).write(
        tmp_path / "zoo.lock"
    )
    monkeypatch.chdir(tmp_path)
    asked = len(hub.requests)
    with pytest.raises(LockError, match="The card says sha256 000000000000"):
        fetch(UrlSource(url=f"{hub.endpoint}/new.pth", sha256="0" * 64))
    assert len(hub.requests) == asked


def test_relocking_accepts_what_changed(
    hub: LoopbackHub,
    weights: bytes,
    sha256: Digest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = UrlSource(url=hub.add_file(FILE, weights), sha256=sha256(weights))
    Lock({"toy/net.v1": Pin.of(fetch(url))}).write(tmp_path / "zoo.lock")
    monkeypatch.chdir(tmp_path)
    changed = weights[:-1] + b"x"
    new = UrlSource(url=hub.add_file("new.safetensors", changed), sha256=sha256(changed))
    with pytest.raises(LockError):
        fetch(new)
    zoo.weights.relock([WeightsRequest("toy/net", "v1", Weights(files={"model": [new]}))]).write(
        tmp_path / "zoo.lock"
    )
    assert fetch(new).sha256 == sha256(changed)
