"""A repository of the loopback Hub: commits are carried out whole, or refused."""

import base64
import hashlib
import json

import pytest

from zoo.testing.hub.repository import Refused, Repository, git_sha1, is_commit


def lines(*steps: tuple[str, dict[str, object]]) -> bytes:
    return b"\n".join(json.dumps({"key": key, "value": value}).encode() for key, value in steps)


def small(path: str, data: bytes) -> tuple[str, dict[str, object]]:
    return "file", {"path": path, "content": base64.b64encode(data).decode()}


def test_a_commit_changes_what_it_names_and_keeps_the_rest() -> None:
    repository = Repository("org/net")
    first = repository.add({"a": b"1", "b": b"2"})
    second = repository.change(lines(small("a", b"3"), ("deletedFile", {"path": "b"})))
    assert (repository.commits[first], repository.commits[second]) == (
        {"a": b"1", "b": b"2"},
        {"a": b"3"},
    )
    assert repository.refs["main"] == second
    assert is_commit(second)


def test_a_commit_on_another_parent_is_refused() -> None:
    repository = Repository("org/net")
    first = repository.add({"a": b"1"})
    repository.add({"a": b"2"})
    with pytest.raises(Refused, match="since") as error:
        repository.change(lines(("header", {"parentCommit": first}), small("a", b"3")))
    assert error.value.status == 412
    assert repository.commits[repository.refs["main"]] == {"a": b"2"}


def test_a_large_file_has_to_be_there_first() -> None:
    repository, data = Repository("org/net"), b"weights"
    sha256 = hashlib.sha256(data).hexdigest()
    step = ("lfsFile", {"path": "model.safetensors", "oid": sha256})
    with pytest.raises(Refused, match="missing object"):
        repository.change(lines(step))
    assert not repository.receive(sha256, b"other")
    assert repository.receive(sha256, data)
    assert repository.commits[repository.change(lines(step))] == {"model.safetensors": data}


def test_upload_modes_say_what_is_there() -> None:
    repository = Repository("org/net")
    repository.add({"a.txt": b"1", "m.safetensors": b"2"})
    asked = {"files": [{"path": name} for name in ("a.txt", "m.safetensors", "new")]}
    found = {one["path"]: one for one in repository.upload_modes(asked)["files"]}  # type: ignore[attr-defined]
    assert [one["uploadMode"] for one in found.values()] == ["regular", "lfs", "regular"]
    assert found["a.txt"]["oid"] == git_sha1(b"1")
    assert found["m.safetensors"]["oid"] == hashlib.sha256(b"2").hexdigest()
    assert found["new"]["oid"] is None
