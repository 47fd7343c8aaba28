"""Files of the Hub in the Hub's own cache, which other programs use as well."""

from pathlib import Path

import huggingface_hub
import pytest

from zoo.errors import CacheError, SourceError
from zoo.registry.card import HubSource
from zoo.testing import Fault, LoopbackHub
from zoo.weights.repository import Repository

REPO, FILE = "org/repo", "model.safetensors"


@pytest.fixture
def repository(hub: LoopbackHub, weights: bytes) -> Repository:
    return Repository(
        HubSource(
            repo=REPO,
            revision=hub.add(REPO, {FILE: weights, "other.safetensors": b"other"}),
            file=FILE,
        )
    )


def test_a_file_that_another_program_fetched_is_found_without_a_request(
    hub: LoopbackHub, repository: Repository, tmp_path: Path
) -> None:
    cache = repository.path.parents[3]
    path = huggingface_hub.hf_hub_download(
        REPO, FILE, revision=repository.revision, cache_dir=cache, endpoint=hub.endpoint
    )
    asked = len(hub.requests)
    assert repository.find() == Path(path)
    assert len(hub.requests) == asked


def test_the_file_lies_where_the_client_says(repository: Repository) -> None:
    assert repository.find() is None
    assert repository.download(progress=False) == repository.path == repository.find()


def test_a_large_file_promises_its_etag(repository: Repository, sha256, weights: bytes) -> None:
    repository.download(progress=False)
    assert [one.sha256 for one in repository.checksums()] == [sha256(weights)]


def test_a_bad_blob_goes_with_its_link(repository: Repository, weights: bytes) -> None:
    blob = repository.download(progress=False).resolve()
    blob.write_bytes(weights[:-1] + b"x")
    repository.remove("0" * 64)
    assert not blob.exists()
    assert not repository.path.is_symlink()


def test_of_a_wrong_link_only_the_link_goes(
    hub: LoopbackHub, repository: Repository, sha256
) -> None:
    other = Repository(
        HubSource(repo=REPO, revision=repository.source.revision, file="other.safetensors")
    )
    blob = other.download(progress=False).resolve()
    repository.path.symlink_to(blob)
    repository.remove(sha256(b"other"))
    assert not repository.path.is_symlink()
    assert blob.read_bytes() == b"other"


@pytest.mark.parametrize("file", ["/etc/hostname", "../other/model.safetensors", "a\\b", ""])
def test_a_file_that_leads_out_of_its_repository_is_refused(file: str) -> None:
    with pytest.raises(SourceError, match="Name a file of that repository"):
        Repository(HubSource(repo=REPO, revision="1" * 40, file=file))


def test_a_revision_that_is_a_path_is_refused() -> None:
    with pytest.raises(SourceError, match="not a full commit"):
        Repository(HubSource(repo=REPO, revision="../../models--org--other", file=FILE))


def test_a_link_that_leads_out_of_the_repository_is_no_file_of_it(
    repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    repository.path.parent.mkdir(parents=True)
    repository.path.symlink_to(tmp_path / "mine")
    assert repository.find() is None


def test_a_blob_that_another_commit_has_as_well_stays(hub: LoopbackHub, sha256) -> None:
    sources = [
        HubSource(repo=REPO, revision=hub.add(REPO, {"page.json": b"{}"}), file="page.json")
        for _ in range(2)
    ]
    first, second = map(Repository, sources)
    blob = first.download(progress=False).resolve()
    assert second.download(progress=False).resolve() == blob
    first.remove(sha256(b"{}"))
    assert second.path.read_bytes() == b"{}"
    second.remove(sha256(b"{}"))
    assert not blob.exists()


def test_what_a_link_points_to_outside_the_cache_is_never_removed(
    repository: Repository, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.safetensors"
    mine.write_bytes(b"mine")
    repository.path.parent.mkdir(parents=True)
    repository.path.symlink_to(mine)
    repository.remove("0" * 64)
    assert mine.exists()
    assert not repository.path.is_symlink()


def test_a_dangling_link_is_fetched_again(repository: Repository, weights: bytes) -> None:
    repository.download(progress=False).resolve().unlink()
    assert repository.find() is None
    assert repository.download(progress=False).read_bytes() == weights


def test_a_cache_that_cant_be_written_is_named_with_its_variable(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "file" / "hub"))
    with pytest.raises(CacheError, match="HF_HUB_CACHE=/path"):
        repository.download(progress=False)


def test_a_name_the_hub_does_not_allow_is_a_clear_error(hub: LoopbackHub) -> None:
    with pytest.raises(SourceError, match="org/--bad--"):
        Repository(HubSource(repo="org/--bad--", revision="1" * 40)).download(progress=False)


def test_a_download_that_broke_off_is_told_once_in_our_words(
    hub: LoopbackHub,
    repository: Repository,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    hub.misbehave(f"*/{FILE}", Fault.truncate(), method="GET")
    repository.download(progress=False)
    assert "Error while downloading" not in "".join(capfd.readouterr())
    said = [
        one.getMessage()
        for one in caplog.records
        if one.name == "zoo" and one.levelname == "WARNING"
    ]
    assert said == [f"{repository.address}: The download broke off. It goes on from there."]
