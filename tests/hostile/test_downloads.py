"""Processes that are killed, disks that are full, folders that can't be written, caches that were
tampered with: each ends in the right file or in a clear error."""

import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import load_file, save, save_file

import zoo.weights
from zoo import drafts
from zoo.environment import home
from zoo.errors import CacheError, IntegrityError
from zoo.registry.card import FileSource, HubSource, Source, UrlSource, Weights
from zoo.testing import Fault, LoopbackHub
from zoo.weights.url import Url

FILE = "model.safetensors"
WHOLE = save({"a": torch.arange(500_000, dtype=torch.float32)})
CHILD = """
import sys
import msgspec, zoo.weights
from zoo.registry.card import Weights
print(zoo.weights.fetch(msgspec.json.decode(sys.argv[1], type=Weights), name="a/net").path)
"""


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_TIMEOUT", "20")


@pytest.fixture(params=["hub", "url"])
def source(request: pytest.FixtureRequest, hub: LoopbackHub) -> Source:
    if request.param == "hub":
        return HubSource(repo="org/net", revision=hub.add("org/net", {FILE: WHOLE}))
    return UrlSource(url=hub.add_file(FILE, WHOLE))


@pytest.fixture
def checkpoint(tmp_path: Path) -> FileSource:
    torch.save({"a": torch.arange(500_000)}, tmp_path / "net.pth")
    return FileSource(path=str(tmp_path / "net.pth"))


def fetch(source: Source) -> Path:
    return zoo.weights.fetch(Weights(files={"model": [source]}), name="a/net").path


def start(source: Source) -> subprocess.Popen[str]:
    """Fetches in another process."""
    command = [
        sys.executable,
        "-c",
        CHILD,
        msgspec.json.encode(Weights(files={"model": [source]})).decode(),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@contextmanager
def a_full_disk() -> Iterator[None]:
    """No file that this process writes may become longer than half a megabyte: the kernel refuses
    the rest (EFBIG)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def until(happened: Callable[[], bool]) -> None:
    for _ in range(1000):
        if happened():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen within 20 seconds")


def killed_in_the_middle(source: Source, hub: LoopbackHub) -> None:
    hub.misbehave(f"*/{FILE}", Fault.stall())
    with start(source) as child:
        until(
            lambda: any(one.method == "GET" and one.sent >= len(WHOLE) // 2 for one in hub.requests)
        )
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL


def test_a_process_that_is_killed_in_mid_download_leaves_no_half_file(
    source: Source, hub: LoopbackHub
) -> None:
    killed_in_the_middle(source, hub)
    assert fetch(source).read_bytes() == WHOLE


def test_what_a_killed_process_had_fetched_from_a_web_server_is_not_fetched_again(
    hub: LoopbackHub,
) -> None:
    source = UrlSource(url=hub.add_file(FILE, WHOLE))
    part = Url(source.url, source.url).path.with_name(f"{FILE}.part")
    hub.misbehave(f"*/{FILE}", Fault.stall())
    with start(source) as child:
        until(lambda: part.exists() and part.stat().st_size > len(WHOLE) // 4)
        child.kill()
    had = part.stat().st_size
    assert fetch(source).read_bytes() == WHOLE
    assert (hub.requests[-1].status, hub.requests[-1].sent) == (206, len(WHOLE) - had)


def test_two_processes_that_want_one_file_fetch_it_once(source: Source, hub: LoopbackHub) -> None:
    hub.misbehave(f"*/{FILE}", Fault.slow(1_500_000), times=None)
    with start(source) as one, start(source) as other:
        paths = {child.communicate()[0].strip() for child in (one, other)}
    assert len(paths) == 1
    assert Path(paths.pop()).read_bytes() == WHOLE
    assert hub.bodies(f"*/{FILE}") == 1


def test_two_at_once_convert_one_checkpoint_once(checkpoint: FileSource, hub: LoopbackHub) -> None:
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(fetch, [checkpoint] * 4))
    assert len(paths) == 1
    assert load_file(paths.pop())["a"].equal(torch.arange(500_000))


def test_a_full_disk_is_a_clear_error_and_once_there_is_room_the_file_is_right(
    source: Source, hub: LoopbackHub
) -> None:
    with a_full_disk(), pytest.raises(CacheError, match="Free some space") as error:
        fetch(source)
    assert ("HF_HUB_CACHE=" if isinstance(source, HubSource) else "ZOO_HOME=") in error.value.fix
    assert fetch(source).read_bytes() == WHOLE


def test_a_disk_that_fills_up_while_converting_is_a_clear_error(checkpoint: FileSource) -> None:
    with a_full_disk(), pytest.raises(CacheError, match=r"can't be written(.|\n)*Free some space"):
        fetch(checkpoint)
    assert not list(home().glob("converted/*.safetensors"))
    assert load_file(fetch(checkpoint))["a"].equal(torch.arange(500_000))


@pytest.mark.parametrize("place", ["a file in the way", "/proc"])
def test_a_home_that_cant_be_written_is_named(
    place: str, hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(
        "ZOO_HOME", str(tmp_path / "file" / "zoo") if place != "/proc" else "/proc/zoo"
    )
    with pytest.raises(CacheError, match=r"can't be written(.|\n)*ZOO_HOME=/path"):
        fetch(UrlSource(url=hub.add_file(FILE, WHOLE)))


def test_a_home_that_cant_be_written_is_enough_to_read(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hub = HubSource(repo="org/net", revision=hub.add("org/net", {FILE: WHOLE}))
    fetch(by_hub)
    (tmp_path / FILE).write_bytes(WHOLE)
    monkeypatch.setenv("ZOO_HOME", "/proc/zoo")
    assert (
        fetch(by_hub).read_bytes()
        == fetch(FileSource(path=str(tmp_path / FILE))).read_bytes()
        == WHOLE
    )


def test_a_converted_checkpoint_in_a_home_that_became_read_only_is_used(
    checkpoint: FileSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fetch(checkpoint)
    os.utime(first)  # as if copied to another machine: no stamp holds
    # root may write anywhere, but not where a folder has the name
    monkeypatch.setattr(drafts, "draft_name", lambda path: path.parent)
    assert fetch(checkpoint) == first


@pytest.mark.parametrize("damage", ["wrong link", "dangling link", "swapped", "record is noise"])
def test_whatever_happens_to_the_cache_the_file_is_right(
    source: Source, damage: str, tmp_path: Path
) -> None:
    path = fetch(source)
    wrong = tmp_path / "wrong.safetensors"
    save_file({"a": torch.zeros(500_000)}, wrong)
    if damage == "swapped":
        wrong.replace(path.resolve())
    elif damage == "record is noise":
        next(home().glob("records/*.json")).write_bytes(b"\0" * 100)
    else:
        path.unlink()
        path.symlink_to(wrong if damage == "wrong link" else tmp_path / "nothing")
    assert fetch(source).read_bytes() == WHOLE


def test_a_folder_in_place_of_a_file_is_a_clear_error(source: Source) -> None:
    path = fetch(source)
    path.unlink()
    path.mkdir()
    with pytest.raises(CacheError, match=FILE):
        fetch(source)


def test_a_record_and_a_file_that_do_not_agree_are_not_believed(source: Source) -> None:
    path = fetch(source)
    os.utime(path)
    record = next(home().glob("records/*.json"))
    digest = hashlib.sha256(WHOLE).hexdigest().encode()
    record.write_bytes(record.read_bytes().replace(digest, digest[::-1]))
    with pytest.raises(IntegrityError, match=record.name):
        fetch(source)
