"""One requested file, from the first source that works; the lock file is obeyed."""

from collections.abc import Callable

import pytest

from zoo.errors import LockError, SourceError
from zoo.registry.card import HubSource, UrlSource, Weights
from zoo.testing import LoopbackHub
from zoo.weights import WeightsRequest
from zoo.weights.deliver import deliver, pinned
from zoo.weights.lock import Lock, Pin
from zoo.weights.sources import HubSpec

COMMIT = "c" * 40


def test_the_second_source_serves_where_the_first_fails(hub: LoopbackHub, weights: bytes) -> None:
    missing = UrlSource(url=f"{hub.endpoint}/none.safetensors")
    there = UrlSource(url=hub.add_file("net.safetensors", weights))
    request = WeightsRequest("a/net", "v1", Weights(files={"model": [missing, there]}))
    assert deliver(request, Lock(), mirrors={}).source == there.url


def test_where_all_fail_each_is_named(hub: LoopbackHub) -> None:
    sources = [UrlSource(url=f"{hub.endpoint}/{name}.safetensors") for name in "ab"]
    request = WeightsRequest("a/net", "v1", Weights(files={"model": list(sources)}))
    with pytest.raises(SourceError) as error:
        deliver(request, Lock(), mirrors={})
    assert all(source.url in str(error.value) for source in sources)


def test_a_pin_gives_the_commit_of_its_own_repository(sha256: Callable[[bytes], str]) -> None:
    pin = Pin(f"hub:org/net@{COMMIT}:card.yaml", sha256(b""), 0)
    assert pinned(HubSpec("org/net"), pin) == HubSource(
        repo="org/net", revision=COMMIT, file="card.yaml"
    )
    with pytest.raises(LockError, match="not a commit of hub:org/other"):
        pinned(HubSpec("org/other"), pin)
