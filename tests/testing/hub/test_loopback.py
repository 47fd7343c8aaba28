"""The loopback Hub speaks the Hub's protocol well enough for the Hub's own client, and fails
exactly as it is told."""

import hashlib
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from huggingface_hub import (
    HfApi,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    snapshot_download,
)
from huggingface_hub.errors import (
    GatedRepoError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from zoo.testing import Fault, LoopbackHub

DATA = bytes(range(256)) * 400
REPO, FILE = "org/repo", "model.safetensors"


def test_the_hubs_client_downloads_what_was_added(hub: LoopbackHub, tmp_path: Path) -> None:
    commit = hub.add(REPO, {FILE: DATA, "sub/config.json": b"{}"})
    for name, data in ((FILE, DATA), ("sub/config.json", b"{}")):
        path = Path(hf_hub_download(REPO, name, cache_dir=tmp_path, endpoint=hub.endpoint))
        assert path.read_bytes() == data
        assert commit in path.parts


def test_the_hubs_client_downloads_a_whole_snapshot(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.add(REPO, {FILE: DATA, "sub/config.json": b"{}"})
    folder = Path(snapshot_download(REPO, cache_dir=tmp_path, endpoint=hub.endpoint))
    assert {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    } == {FILE, "sub/config.json"}


def test_metadata_is_as_on_the_hub(hub: LoopbackHub) -> None:
    commit = hub.add(REPO, {FILE: DATA})
    found = get_hf_file_metadata(
        hf_hub_url(REPO, FILE, endpoint=hub.endpoint), endpoint=hub.endpoint
    )
    assert (found.commit_hash, found.etag, found.size) == (
        commit,
        hashlib.sha256(DATA).hexdigest(),
        len(DATA),
    )
    assert urlsplit(found.location).hostname == "localhost"  # another host than the Hub's own


def test_the_api_lists_commit_files_and_sizes(hub: LoopbackHub) -> None:
    commit = hub.add(REPO, {FILE: DATA, "config.json": b"{}"})
    api = HfApi(endpoint=hub.endpoint)
    assert api.model_info(REPO).sha == api.model_info(REPO, revision=commit).sha == commit
    assert set(api.list_repo_files(REPO)) == {FILE, "config.json"}
    sizes = {
        one.path: (one.size, one.lfs and one.lfs.sha256)
        for one in api.list_repo_tree(REPO, recursive=True)
    }
    assert sizes == {FILE: (len(DATA), hashlib.sha256(DATA).hexdigest()), "config.json": (2, None)}


def test_every_add_is_a_commit_and_main_is_the_last(hub: LoopbackHub) -> None:
    first = hub.add(REPO, {FILE: DATA}, revision="v1")
    second = hub.add(REPO, {FILE: DATA + b"x"})
    chosen = hub.add(REPO, {FILE: b"y"}, revision="c" * 40)
    api = HfApi(endpoint=hub.endpoint)
    assert len({first, second}) == 2
    assert chosen == "c" * 40
    assert [api.model_info(REPO, revision=one).sha for one in ("main", "v1", second)] == [
        chosen,
        first,
        second,
    ]


def test_files_may_be_on_disk(hub: LoopbackHub, client: httpx2.Client, tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_bytes(DATA)
    assert client.get(hub.add_file("a/net.pth", tmp_path / "net.pth")).content == DATA


@pytest.mark.parametrize(
    ("repo", "revision", "file", "error"),
    [
        ("org/none", None, FILE, RepositoryNotFoundError),
        (REPO, "9" * 40, FILE, RevisionNotFoundError),
        (REPO, None, "none.bin", RemoteEntryNotFoundError),
    ],
)
def test_what_is_not_there_is_refused_as_the_hub_does(
    hub: LoopbackHub, repo: str, revision: str | None, file: str, error: type[Exception]
) -> None:
    hub.add(REPO, {FILE: DATA})
    with pytest.raises(error):
        get_hf_file_metadata(
            hf_hub_url(repo, file, revision=revision, endpoint=hub.endpoint), endpoint=hub.endpoint
        )


def test_a_gated_repository_can_be_played(hub: LoopbackHub) -> None:
    hub.add(REPO, {FILE: DATA})
    hub.misbehave("*", Fault.status(403, error="GatedRepo"), method="*")
    with pytest.raises(GatedRepoError):
        get_hf_file_metadata(hf_hub_url(REPO, FILE, endpoint=hub.endpoint), endpoint=hub.endpoint)


@pytest.mark.parametrize(
    ("asked", "status", "span"),
    [
        ("bytes=100-", 206, slice(100, None)),
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=102399-200000", 206, slice(-1, None)),
        ("bytes=102400-", 416, slice(0, 0)),
        ("lines=1-2", 200, slice(None)),
    ],
)
def test_ranges(
    hub: LoopbackHub, client: httpx2.Client, asked: str, status: int, span: slice
) -> None:
    answer = client.get(hub.add_file("net.pth", DATA), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (status, DATA[span])


def test_a_range_of_another_version_gives_the_whole_file(
    hub: LoopbackHub, client: httpx2.Client
) -> None:
    url = hub.add_file("net.pth", DATA)
    etag = client.head(url).headers["ETag"]
    statuses = [
        client.get(url, headers={"Range": "bytes=5-", "If-Range": one}).status_code
        for one in (etag, '"other"')
    ]
    assert statuses == [206, 200]


def test_redirects_lead_on(hub: LoopbackHub, client: httpx2.Client) -> None:
    url = hub.add_redirect("old.pth", hub.add_file("new.pth", DATA))
    assert client.get(url).headers["Location"].endswith("/new.pth")
    assert client.get(url, follow_redirects=True).content == DATA


def test_it_answers_as_a_proxy(hub: LoopbackHub) -> None:
    hub.add_file("net.pth", DATA)
    with httpx2.Client(proxy=hub.endpoint) as client:
        assert client.get("http://weights.invalid/net.pth").content == DATA


def test_requests_are_recorded_in_order(hub: LoopbackHub, client: httpx2.Client) -> None:
    url = hub.add_file("net.pth", DATA)
    client.head(url)
    client.get(url, headers={"X-Asked": "yes"})
    client.get(f"{hub.endpoint}/none")
    assert [(one.method, one.path, one.status) for one in hub.requests] == [
        ("HEAD", "/net.pth", 200),
        ("GET", "/net.pth", 200),
        ("GET", "/none", 404),
    ]
    assert [one.sent for one in hub.requests[:2]] == [0, len(DATA)]
    assert hub.requests[1].headers["X-Asked"] == "yes"
    assert (hub.bodies(), hub.bodies("/none")) == (1, 0)


def test_faults_come_in_order_as_often_as_asked_and_only_where_asked(
    hub: LoopbackHub, client: httpx2.Client
) -> None:
    one, other = hub.add_file("one.pth", DATA), hub.add_file("other.pth", DATA)
    hub.misbehave("/one.*", Fault.status(503), Fault.status(429), times=2)
    hub.misbehave("/one.*", Fault.status(500), method="HEAD", times=None)
    assert [client.get(one).status_code for _ in range(5)] == [503, 503, 429, 429, 200]
    assert client.get(other).status_code == 200
    assert {client.head(one).status_code for _ in range(3)} == {500}
    hub.behave()
    assert client.head(one).status_code == 200


def test_importing_it_imports_no_torch() -> None:
    code = (
        "import sys, zoo.testing; sys.exit(bool({'torch', 'numpy', 'huggingface_hub', 'pytest'} & "
        "set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
