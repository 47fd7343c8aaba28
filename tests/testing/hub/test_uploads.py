"""The loopback Hub takes uploads of the Hub's own client, from whoever may, and breaks off."""

from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from zoo.testing import Fault, LoopbackHub

DATA = bytes(range(256)) * 400
REPO = "org/net"


def api(hub: LoopbackHub, token: str | bool = "hf_ok") -> HfApi:
    return HfApi(endpoint=hub.endpoint, token=token)


def commit(client: HfApi, weights: Path) -> str:
    with weights.open("rb") as file:
        additions = [
            CommitOperationAdd("model.safetensors", file),
            CommitOperationAdd("README.md", b"---\nlicense: mit\n---\n"),
        ]
        return client.create_commit(REPO, additions, commit_message="a").oid


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(DATA)
    return path


def test_a_repository_is_made_and_filled(hub: LoopbackHub, weights: Path) -> None:
    client = api(hub)
    client.create_repo(REPO, private=True)
    client.create_repo(REPO, exist_ok=True)
    made = commit(client, weights)
    assert hub.files(REPO)["model.safetensors"] == DATA
    info = client.model_info(REPO)
    assert (info.sha, info.private) == (made, True)
    assert commit(client, weights) == made  # nothing is new


def test_tokens_write_what_is_their_owners_and_read_it(hub: LoopbackHub) -> None:
    hub.allow("hf_ok", "org")
    hub.add("org/secret", {"a": b"1"}, private=True)
    hub.add("other/open", {"a": b"1"})
    assert api(hub).model_info("org/secret").private
    for token in (False, "hf_old"):
        with pytest.raises(RepositoryNotFoundError):
            api(hub, token).model_info("org/secret")
    with pytest.raises(HfHubHTTPError, match="rights"):
        api(hub).create_repo("other/net")
    with pytest.raises(HfHubHTTPError) as error:
        api(hub, "hf_old").create_repo(REPO)
    assert error.value.response.status_code == 401
    addition = CommitOperationAdd("a", b"2")
    with pytest.raises(HfHubHTTPError, match="rights"):
        api(hub).create_commit("other/open", [addition], commit_message="a")


def test_an_upload_that_breaks_off_is_not_carried_out(hub: LoopbackHub, weights: Path) -> None:
    client = api(hub)
    client.create_repo(REPO)
    hub.misbehave("*/commit/*", Fault.reset(), method="POST")
    with pytest.raises(Exception, match=r"reset|disconnected|Reset"):
        commit(client, weights)
    assert "model.safetensors" not in hub.files(REPO)
    assert hub.requests[-1].status == 0


def test_at_the_whole_it_is_carried_out_and_nobody_is_told(hub: LoopbackHub, weights: Path) -> None:
    client = api(hub)
    client.create_repo(REPO)
    hub.misbehave("*/commit/*", Fault.truncate(at=1.0), method="POST")
    with pytest.raises(Exception, match=r"reset|disconnected|Reset"):
        commit(client, weights)
    assert hub.files(REPO)["model.safetensors"] == DATA
