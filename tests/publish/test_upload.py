"""One commit or none, under every way in which a network fails."""

from pathlib import Path

import pytest

from zoo.errors import PushError
from zoo.publish.upload import upload
from zoo.testing import Fault, LoopbackHub

COMMIT = "/api/models/*/commit/*"
BATCH = "*/info/lfs/objects/batch"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path | bytes]:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(bytes(range(256)) * 2000)
    return {"card.yaml": b"schema: 2\n", "model.safetensors": weights, "README.md": b"# Net\n"}


def sent(files: dict[str, Path | bytes], repo: str = "org/net") -> str:
    made = upload(repo, files, private=False, token="hf_secret", message="a", progress=False)
    return made.id


@pytest.mark.parametrize(
    ("glob", "method", "fault"),
    [
        ("/lfs-store/*", "PUT", Fault.stall()),
        (BATCH, "POST", Fault.status(400)),
        (COMMIT, "POST", Fault.status(500)),
        ("/api/repos/create", "POST", Fault.reset()),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else value.kind,
)
def test_a_failure_publishes_nothing_and_the_next_push_all(
    hub: LoopbackHub, files: dict[str, Path | bytes], glob: str, method: str, fault: Fault
) -> None:
    hub.misbehave(glob, fault, times=None, method=method)
    with pytest.raises(PushError, match="published") as error:
        sent(files)
    assert len(str(error.value).splitlines()) == 3
    assert not hub.files("org/net").keys() & files.keys()
    hub.behave()
    commit = sent(files)
    assert hub.files("org/net", commit).keys() == {".gitattributes", *files}


def test_where_the_answer_is_lost_that_is_said(
    hub: LoopbackHub, files: dict[str, Path | bytes]
) -> None:
    hub.misbehave(COMMIT, Fault.truncate(at=1.0), method="POST")
    with pytest.raises(PushError, match="may be published or not"):
        sent(files)
    commits = hub.files("org/net")
    assert sent(files)
    assert hub.files("org/net") == commits


def test_another_push_in_between_is_not_overwritten(
    hub: LoopbackHub, files: dict[str, Path | bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    sent(files)
    early = huggingface_hub.HfApi.preupload_lfs_files

    def late(api: huggingface_hub.HfApi, *given: object, **options: object) -> None:
        early(api, *given, **options)
        hub.add("org/net", {"card.yaml": b"theirs"})

    monkeypatch.setattr(huggingface_hub.HfApi, "preupload_lfs_files", late)
    with pytest.raises(PushError, match="in the meantime"):
        sent({**files, "card.yaml": b"mine"})
    assert hub.files("org/net") == {"card.yaml": b"theirs"}


def test_a_repository_of_something_else_is_left_alone(
    hub: LoopbackHub, files: dict[str, Path | bytes]
) -> None:
    hub.add("org/net", {"pytorch_model.bin": b"x", "README.md": b"y"})
    with pytest.raises(PushError, match=r"something else: pytorch_model\.bin"):
        sent(files)
    hub.add("org/bare", {"README.md": b"y"})
    assert sent(files, "org/bare")


def test_where_nobody_listens_that_is_said(
    files: dict[str, Path | bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(PushError, match="no connection"):
        sent(files)


def test_the_clients_own_words_and_bars_are_not_shown(
    hub: LoopbackHub, files: dict[str, Path | bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    assert sent(files) == sent(files)
    assert hub.files("org/net")
    assert capfd.readouterr() == ("", "")
