"""Servers that never fall silent and never get anywhere: each ends in one clear error, and leaves
nothing behind."""

import threading
from pathlib import Path

import pytest

import zoo.weights
from zoo.environment import home
from zoo.errors import WeightsError
from zoo.registry.card import HubSource, Source, UrlSource, Weights
from zoo.testing import Fault, LoopbackHub
from zoo.weights import deadline
from zoo.weights.url import remove_abandoned

FILE = "model.safetensors"
DATA = bytes(100_000)
FAULTS = {
    "headers": Fault.drip_headers(),
    "interim answers": Fault.interim(),
    "a body": Fault.drip(),
}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_TIMEOUT", "0.2")
    monkeypatch.setenv("ZOO_RETRIES", "1")
    monkeypatch.setattr(deadline, "SLOWEST", 1_000_000)
    monkeypatch.setattr("zoo.weights.repository.SLOWEST", 1_000_000)


@pytest.fixture(params=["hub", "url"])
def source(request: pytest.FixtureRequest, hub: LoopbackHub) -> Source:
    if request.param == "url":
        return UrlSource(url=hub.add_file(FILE, DATA, etag='W/"weak"'))
    return HubSource(repo="org/net", revision=hub.add("org/net", {FILE: DATA}), file=FILE)


def left_behind() -> list[Path]:
    return [path for path in home().rglob("*") if path.is_file() and path.suffix != ".lock"]


@pytest.mark.parametrize("what", FAULTS)
def test_a_server_that_drips_is_given_up(hub: LoopbackHub, source: Source, what: str) -> None:
    hub.misbehave(f"*/{FILE}", FAULTS[what], times=None, method="*")
    with pytest.raises(WeightsError, match=r"less than 10 kB a second|does not begin"):
        zoo.weights.fetch(Weights(files={"model": [source]}), name="a/net", progress=False)
    assert not left_behind()


def test_a_drip_is_seen_in_a_file_of_the_hub_of_any_size(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.weights.repository.SLOWEST", 1)  # its file may stay as it is for a day
    source = HubSource(repo="org/net", revision=hub.add("org/net", {FILE: DATA}), file=FILE)
    hub.misbehave(f"*/{FILE}", Fault.drip(), times=None)
    with pytest.raises(WeightsError, match="less than 10 kB a second"):
        zoo.weights.fetch(Weights(files={"model": [source]}), name="a/net", progress=False)
    assert not [one for one in threading.enumerate() if isinstance(one, deadline.Call)]
    hub.behave()
    with pytest.raises(WeightsError, match="not a valid safetensors"):  # all of it has come
        zoo.weights.fetch(Weights(files={"model": [source]}), name="a/net", progress=False)


def test_a_body_without_end_is_given_up_at_twice_what_the_card_says(hub: LoopbackHub) -> None:
    source = UrlSource(url=hub.add_file(FILE, DATA))
    hub.misbehave(f"*/{FILE}", Fault.endless(), times=None)
    with pytest.raises(WeightsError, match="the card says"):
        zoo.weights.fetch(
            Weights(files={"model": [source]}, megabytes=0.1), name="a/net", progress=False
        )
    assert not left_behind()


def test_a_file_far_larger_than_the_card_says_is_not_begun(hub: LoopbackHub) -> None:
    source = UrlSource(url=hub.add_file("big.pth", bytes(4_000_000)))
    with pytest.raises(WeightsError, match="the card says"):
        zoo.weights.fetch(
            Weights(files={"model": [source]}, megabytes=0.1), name="a/net", progress=False
        )
    assert not left_behind()


def test_parts_that_nobody_can_go_on_with_are_removed_by_the_next_download(
    hub: LoopbackHub,
) -> None:
    from filelock import FileLock

    folder = home() / "files"
    for name in ("lost", "resumable", "at work"):
        (folder / name).mkdir(parents=True)
        (folder / name / "net.pth.part").write_bytes(b"half")
    (folder / "resumable" / "net.pth.part.json").write_bytes(b"{}")
    with FileLock(folder / "at work" / "net.pth.lock"):
        remove_abandoned(folder, but=folder / "other")
    assert sorted(path.parent.name for path in folder.glob("*/*.part")) == ["at work", "resumable"]


def test_an_honest_server_is_waited_for(hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "SLOWEST", 10_000)
    file = UrlSource(url=hub.add_file(FILE, DATA))
    hub.misbehave(f"*/{FILE}", Fault.slow(100_000))
    with pytest.raises(WeightsError, match="not a valid safetensors"):
        zoo.weights.fetch(Weights(files={"model": [file]}), name="a/net", progress=False)
