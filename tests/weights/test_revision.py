"""A place on the Hub with an open end means one commit and one file, online and offline."""

import huggingface_hub
import pytest

import zoo.weights
from zoo import environment
from zoo.errors import LockError, OfflineError, SourceError
from zoo.testing import Fault, LoopbackHub
from zoo.weights import Lock, Pin

REPO, FILE = "org/repo", "model.safetensors"


@pytest.fixture
def commit(hub: LoopbackHub, weights: bytes) -> str:
    return hub.add(REPO, {FILE: weights, "config.json": b"{}"}, revision="v1")


@pytest.mark.parametrize(
    "spec",
    [
        "hub:org/repo",
        "hub:org/repo@main",
        "hub:org/repo@v1",
        f"hub:org/repo:{FILE}",
        f"hub:org/repo@v1:{FILE}",
    ],
)
def test_a_branch_or_tag_is_looked_up_and_the_commit_recorded(
    spec: str, commit: str, weights: bytes
) -> None:
    fetched = zoo.weights.locate(spec)
    assert fetched.path.read_bytes() == weights
    assert fetched.revision == commit
    assert fetched.source == f"hub:org/repo@{commit}:{FILE}"


def test_a_branch_that_moved_gives_the_new_file(
    hub: LoopbackHub, commit: str, weights: bytes
) -> None:
    zoo.weights.locate("hub:org/repo")
    moved = weights[:-1] + b"x"
    hub.add(REPO, {FILE: moved})
    assert zoo.weights.locate("hub:org/repo").path.read_bytes() == moved


def test_a_commit_is_looked_up_only_once(hub: LoopbackHub, commit: str) -> None:
    first = zoo.weights.locate(f"hub:org/repo@{commit}")
    asked = len(hub.requests)
    assert zoo.weights.locate(f"hub:org/repo@{commit}") == first
    assert len(hub.requests) == asked


def test_the_only_safetensors_file_need_not_be_named(hub: LoopbackHub, weights: bytes) -> None:
    hub.add(REPO, {"net.safetensors": weights, "net.pth": b""})
    assert zoo.weights.locate("hub:org/repo").source.endswith(":net.safetensors")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (("a.safetensors", "b.safetensors"), "2 files of weights: a.safetensors, b.safetensors"),
        (("a.pth",), "no .safetensors"),
    ],
)
def test_which_file_is_asked_when_it_is_not_clear(
    hub: LoopbackHub, weights: bytes, files: tuple[str, ...], said: str
) -> None:
    hub.add(REPO, dict.fromkeys(files, weights))
    with pytest.raises(SourceError, match=f"{said}(.|\n)*Name one: hub:org/repo@main:"):
        zoo.weights.locate("hub:org/repo")


@pytest.mark.parametrize("fault", [Fault.status(503), Fault.reset(), Fault.stall()])
def test_the_api_is_asked_again_when_it_fails(hub: LoopbackHub, commit: str, fault: Fault) -> None:
    hub.misbehave("/api/*", fault)
    assert zoo.weights.locate("hub:org/repo").revision == commit


@pytest.mark.parametrize(
    ("spec", "said"),
    [("hub:org/none", "no repository org/none"), ("hub:org/repo@v9", "no such revision")],
)
def test_what_is_not_on_the_hub_is_named(commit: str, spec: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        zoo.weights.locate(spec)


def test_offline_a_branch_is_what_it_was_when_last_looked_up(
    hub: LoopbackHub, commit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = zoo.weights.locate("hub:org/repo")
    hub.add(REPO, {FILE: b"moved"})
    asked = len(hub.requests)
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    assert zoo.weights.locate("hub:org/repo") == first
    assert len(hub.requests) == asked


def test_offline_the_cache_of_the_hubs_client_is_enough(
    hub: LoopbackHub, commit: str, weights: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    huggingface_hub.hf_hub_download(
        REPO, FILE, revision="v1", cache_dir=environment.hub_cache(), endpoint=hub.endpoint
    )
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    for spec in ("hub:org/repo@v1", f"hub:org/repo@{commit}", f"hub:org/repo@v1:{FILE}"):
        assert zoo.weights.locate(spec).path.read_bytes() == weights


def test_offline_a_branch_nobody_looked_up_is_a_clear_error(
    commit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(OfflineError, match="Which commit"):
        zoo.weights.locate("hub:org/repo")


def test_a_locked_branch_stays_at_its_commit(
    hub: LoopbackHub, commit: str, weights: bytes, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Lock({"hub:org/repo": Pin.of(zoo.weights.locate("hub:org/repo"))}).write(tmp_path / "zoo.lock")
    hub.add(REPO, {FILE: b"moved"})
    monkeypatch.setenv("ZOO_LOCK", str(tmp_path / "zoo.lock"))
    asked = len(hub.requests)
    assert zoo.weights.locate("hub:org/repo").revision == commit
    assert len(hub.requests) == asked


def test_a_mirrored_branch_is_looked_up_at_the_mirror(hub: LoopbackHub, weights: bytes) -> None:
    commit = hub.add("mirror/repo", {FILE: weights})
    fetched = zoo.weights.locate("hub:org/repo", mirrors={"hub:org/": "hub:mirror/"})
    assert (fetched.revision, fetched.source) == (commit, f"hub:mirror/repo@{commit}:{FILE}")


def test_a_locked_file_that_is_another_now_is_refused(
    commit: str, tmp_path, weights: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.safetensors"
    file.write_bytes(weights)
    spec = f"file:{file}"
    Lock({spec: Pin.of(zoo.weights.locate(spec))}).write(tmp_path / "zoo.lock")
    monkeypatch.setenv("ZOO_LOCK", str(tmp_path / "zoo.lock"))
    assert zoo.weights.locate(spec)
    file.write_bytes(weights[:-1] + b"x")
    with pytest.raises(LockError, match="lock file says"):
        zoo.weights.locate(spec)
