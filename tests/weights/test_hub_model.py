"""A model by its repository: the card and the weights of one commit, verified, pinned, offline."""

from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.cli.commands.lock import lock
from zoo.errors import CardError, LockError, NameNotFound, SourceError
from zoo.registry import catalogue
from zoo.testing import Fault, LoopbackHub
from zoo.weights import Lock, relock
from zoo.weights.hub_model import card_request
from zoo.weights.records import typed_name
from zoo.weights.resolve import choose, request_for, resolve, resolve_name

CARD = """
schema: 2
cards:
  mine:
    architecture: {architecture}
    labels: [helmet]
    weights:
      trained:
        files: {{model: [{{kind: file, path: {path}, sha256: {sha256}}}]}}
    default: trained
"""
OTHER = CARD.format(architecture="yolox/yolox", path="other.safetensors", sha256="a" * 64)
NAME = "hub:org/helmets"


@pytest.fixture
def put(hub: LoopbackHub, weights: bytes, sha256: Callable[[bytes], str]) -> Callable[..., str]:
    """Commits a model, and says its commit."""

    def add(architecture: str = "yolox/yolox", path: str = "model.safetensors", **more: str) -> str:
        text = CARD.format(architecture=architecture, path=path, sha256=sha256(weights))
        files = {"card.yaml": more.get("card", text).encode(), "model.safetensors": weights}
        return hub.add("org/helmets", files, revision=more.get("revision"))

    return add


def test_the_files_beside_the_card_are_of_its_commit(
    put: Callable[..., str], weights: bytes
) -> None:
    commit = put()
    choice = choose(catalogue(), NAME)
    assert (choice.name, choice.entry.qualified) == ("helmets.trained", NAME)
    assert choice.entry.origin == f"{NAME}@{commit}:card.yaml"
    file = resolve(catalogue(), choice).file
    assert file is not None
    assert file.source == f"{NAME}@{commit}:model.safetensors"
    assert file.path.read_bytes() == weights


def test_a_revision_is_what_it_was_and_a_branch_moves(put: Callable[..., str]) -> None:
    first = put(revision="v1")
    second = put(card=OTHER)
    for name, commit in ((NAME, second), (f"{NAME}@v1", first), (f"{NAME}@{first}", first)):
        choice = resolve_name(catalogue(), name)
        assert choice.entry.origin == f"{NAME}@{commit}:card.yaml"
        assert choice.entry.qualified == name


def test_offline_it_is_what_it_was_last(
    put: Callable[..., str], hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    resolve(catalogue(), resolve_name(catalogue(), NAME))
    asked = len(hub.requests)
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    assert resolve(catalogue(), resolve_name(catalogue(), NAME)).file is not None
    assert len(hub.requests) == asked
    with pytest.raises(SourceError.__mro__[1], match="network is switched off"):
        resolve_name(catalogue(), f"{NAME}-2")


def test_a_lock_holds_card_and_weights(
    put: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = put()
    lock = relock([card_request(NAME, Lock()), request_for(resolve_name(catalogue(), NAME))])
    assert set(lock.pins) == {f"{NAME}:card", f"{NAME}.trained"}
    path = tmp_path / "zoo.lock"
    lock.write(path)
    second = put(card=OTHER)
    monkeypatch.setenv("ZOO_LOCK", str(path))
    fresh = resolve_name(catalogue(), NAME, lock=Lock())
    assert fresh.entry.origin == f"{NAME}@{second}:card.yaml"
    file = resolve(catalogue(), resolve_name(catalogue(), NAME)).file
    assert file is not None
    assert file.revision == first
    path.write_text(path.read_text().replace("org/helmets@", "org/others@"))
    with pytest.raises(LockError):
        resolve_name(catalogue(), NAME)


def test_a_lock_without_names_takes_up_what_the_hub_has_now(
    put: Callable[..., str],
    weights: bytes,
    sha256: Callable[[bytes], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put()
    monkeypatch.chdir(tmp_path)
    lock([NAME])
    before = Lock.read(tmp_path / "zoo.lock").pins
    facts = {"path": "model.safetensors", "sha256": sha256(weights)}
    put(card=CARD.format(architecture="yolox/yolox", **facts) + "# again\n")
    lock([])
    after = Lock.read(tmp_path / "zoo.lock").pins
    assert before.keys() == after.keys() == {f"{NAME}:card", f"{NAME}.trained"}
    assert before[f"{NAME}:card"] != after[f"{NAME}:card"]


def test_a_command_is_told_the_repository_and_not_the_name_of_its_files(
    put: Callable[..., str],
) -> None:
    put()
    requests = [card_request(NAME, Lock()), request_for(resolve_name(catalogue(), NAME))]
    assert {request.command_name for request in requests} == {NAME}
    assert {typed_name(request.entry) for request in requests} == {NAME}
    assert typed_name("hub:org/yolo.v8.best:words") == "hub:org/yolo.v8"
    assert typed_name("yolox/yolox_nano.coco") == "yolox/yolox_nano.coco"


def test_a_card_that_is_another_on_the_way_is_refused(
    put: Callable[..., str], hub: LoopbackHub
) -> None:
    put()
    hub.misbehave("*/card.yaml", Fault.wrong_byte(0.1), times=None)
    with pytest.raises((CardError, SourceError)):
        resolve_name(catalogue(), NAME)


def test_a_card_can_name_no_file_outside_of_its_repository(put: Callable[..., str]) -> None:
    put(path="../../etc/passwd")
    with pytest.raises((CardError, SourceError)):
        resolve(catalogue(), resolve_name(catalogue(), NAME))


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("hub:helmets", "by its repository"),
        ("hub:org/helmets:model.safetensors", "network"),
        ("hub:org/helmets:card.yaml", "a whole repository"),
        ("hub:org/bare", r"no card\.yaml"),
    ],
)
def test_what_is_no_model_says_how_to_name_one(
    put: Callable[..., str], hub: LoopbackHub, weights: bytes, name: str, case: str
) -> None:
    put()
    hub.add("org/bare", {"model.safetensors": weights})
    with pytest.raises(NameNotFound, match=case):
        choose(catalogue(), name)


def test_a_plugin_that_is_missing_is_named(put: Callable[..., str]) -> None:
    put(architecture="acme/net")
    with pytest.raises(NameNotFound, match="plugin 'acme', which is not loaded"):
        resolve_name(catalogue(), NAME)


def test_its_tag_may_be_named(put: Callable[..., str]) -> None:
    put()
    assert choose(catalogue(), NAME, "trained").tag == "trained"
