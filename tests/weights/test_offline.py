"""With the network switched off no socket is opened: sockets that fail on creation change
nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import zoo.weights
from zoo.errors import OfflineError
from zoo.registry.card import HubSource, UrlSource, Weights
from zoo.testing import LoopbackHub
from zoo.weights import WeightsRequest

CHILD = """
import socket, sys, json
def refuse(self, *args, **options):
    raise AssertionError("a socket was opened")
socket.socket.__init__ = refuse
socket.create_connection = socket.getaddrinfo = refuse
import msgspec, zoo.weights
from zoo.registry.card import Weights
from zoo.errors import ZooError
for line in sys.stdin:
    spec = json.loads(line)
    try:
        if isinstance(spec, str):
            print(zoo.weights.locate(spec).path)
        else:
            print(zoo.weights.fetch(msgspec.convert(spec, Weights), name="a/net", tag="v1").path)
    except ZooError as why:
        print(type(why).__name__)
"""


def without_sockets(*specs: Weights | str, **environment: str) -> list[str]:
    lines = "".join(json.dumps(msgspec.to_builtins(spec)) + "\n" for spec in specs)
    env = {**os.environ, **environment}
    done = subprocess.run(
        [sys.executable, "-c", CHILD], env=env, input=lines, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture
def sources(hub: LoopbackHub, weights: bytes, pth: bytes) -> list[Weights | str]:
    by_hub = HubSource(repo="org/net", revision=hub.add("org/net", {"model.safetensors": weights}))
    by_url = UrlSource(url=hub.add_file("net.safetensors", weights))
    to_convert = UrlSource(url=hub.add_file("net.pth", pth))
    return [
        Weights(files={"model": [by_hub]}),
        Weights(files={"model": [by_url]}),
        Weights(files={"model": [to_convert]}, state_key="model"),
        "hub:org/net",
    ]


def fetch(spec: Weights | str) -> str:
    found = (
        zoo.weights.locate(spec)
        if isinstance(spec, str)
        else zoo.weights.fetch(spec, name="a/net", tag="v1")
    )
    return str(found.path)


@pytest.mark.parametrize("switch", ["ZOO_OFFLINE", "HF_HUB_OFFLINE"])
def test_what_is_here_is_loaded(sources: list[Weights | str], switch: str) -> None:
    paths = [fetch(spec) for spec in sources]
    assert without_sockets(*sources, **{switch: "1"}) == paths


def test_what_is_not_here_is_a_clear_error(sources: list[Weights | str]) -> None:
    assert without_sockets(*sources, ZOO_OFFLINE="1") == ["OfflineError"] * 4


def test_pinned_weights_that_are_here_need_no_switch(sources: list[Weights | str]) -> None:
    paths = [fetch(spec) for spec in sources[:3]]
    assert without_sockets(*sources[:3]) == paths


def test_files_that_only_the_hubs_client_knows_are_enough(
    sources: list[Weights | str], tmp_path: Path
) -> None:
    path = fetch(sources[0])
    assert without_sockets(sources[0], ZOO_OFFLINE="1", ZOO_HOME=str(tmp_path / "other")) == [path]


def test_a_bundle_is_enough_without_a_cache(
    sources: list[Weights | str], weights: bytes, tmp_path: Path
) -> None:
    zoo.weights.bundle([WeightsRequest("a/net", "v1", sources[1])], tmp_path / "bundle")
    empty = {
        "ZOO_HOME": str(tmp_path / "home"),
        "HF_HOME": str(tmp_path / "hf"),
        "ZOO_BUNDLE": str(tmp_path / "bundle"),
    }
    (path,) = without_sockets(sources[1], **empty)
    assert Path(path).parent == tmp_path / "bundle"
    assert Path(path).read_bytes() == weights


def test_the_child_would_notice_a_socket(sources: list[Weights | str]) -> None:
    with pytest.raises(AssertionError, match="a socket was opened"):
        without_sockets(sources[1])


def test_a_warm_load_imports_no_client_and_no_torch(sources: list[Weights | str]) -> None:
    for spec in sources[:3]:
        fetch(spec)
    code = (
        "import sys, msgspec, zoo.weights; from zoo.registry.card import Weights\n"
        "for text in sys.argv[1:]: zoo.weights.fetch(msgspec.json.decode(text, type=Weights), "
        "name='a/net', tag='v1')\n"
        "sys.exit(bool({'torch', 'huggingface_hub', 'httpx2', 'rich'} & set(sys.modules)))"
    )
    texts = [msgspec.json.encode(spec).decode() for spec in sources[:3]]
    assert subprocess.run([sys.executable, "-c", code, *texts]).returncode == 0


def test_weights_that_are_kept_under_the_cards_hash_need_no_cache_of_the_hub(
    hub: LoopbackHub,
    pth: bytes,
    weights: bytes,
    sha256,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    converted = HubSource(
        repo="org/old",
        revision=hub.add("org/old", {"net.pth": pth}),
        file="net.pth",
        sha256=sha256(pth),
    )
    there = UrlSource(url=hub.add_file("net.safetensors", weights))
    moved = HubSource(repo="org/gone", revision="1" * 40, sha256=sha256(weights)[:12])
    first = zoo.weights.fetch(
        Weights(files={"model": [converted]}, state_key="model"), name="a/old"
    )
    zoo.weights.fetch(Weights(files={"model": [there]}), name="a/there")
    asked = len(hub.requests)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "empty"))
    for offline in ("0", "1"):
        monkeypatch.setenv("ZOO_OFFLINE", offline)
        again = zoo.weights.fetch(
            Weights(files={"model": [converted]}, state_key="model"), name="a/old"
        )
        assert (again.path, again.sha256, again.bytes, again.source) == (
            first.path,
            first.sha256,
            first.bytes,
            first.source,
        )
        assert (
            zoo.weights.fetch(Weights(files={"model": [moved]}), name="a/moved").path.read_bytes()
            == weights
        )
    assert len(hub.requests) == asked


def test_weights_with_another_hash_or_key_are_no_stand_in(
    hub: LoopbackHub, pth: bytes, sha256, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = HubSource(
        repo="org/old",
        revision=hub.add("org/old", {"net.pth": pth}),
        file="net.pth",
        sha256=sha256(pth),
    )
    path = zoo.weights.fetch(
        Weights(files={"model": [source]}, state_key="model"), name="a/old"
    ).path
    monkeypatch.setenv("HF_HOME", str(tmp_path / "empty"))
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(OfflineError):
        zoo.weights.fetch(Weights(files={"model": [source]}, state_key="ema"), name="a/old")
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    with pytest.raises(OfflineError):
        zoo.weights.fetch(Weights(files={"model": [source]}, state_key="model"), name="a/old")
