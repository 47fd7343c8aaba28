"""Downloads from a plain web server: whole files, continued where they broke off, and never a
mixture of two versions."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.environment import home
from zoo.errors import SourceError
from zoo.testing import Fault, LoopbackHub
from zoo.weights.url import PartialFile, Url

OLD, NEW = b"old " * 100_000, b"new " * 100_000


def download(url: str) -> bytes:
    return Url(url, url).download(progress=False).read_bytes()


@pytest.fixture
def broken_off(hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> str:
    """A URL of which half is here, from an earlier run that gave up."""
    url = hub.add_file("net.pth", OLD)
    monkeypatch.setenv("ZOO_RETRIES", "0")
    hub.misbehave("/net.pth", Fault.truncate())
    with pytest.raises(SourceError):
        download(url)
    monkeypatch.setenv("ZOO_RETRIES", "2")
    return url


def test_a_later_run_continues_where_an_earlier_one_gave_up(
    hub: LoopbackHub, broken_off: str
) -> None:
    assert download(broken_off) == OLD
    last = hub.requests[-1]
    assert last.headers["Range"] == f"bytes={len(OLD) // 2}-"
    assert (last.status, last.sent) == (206, len(OLD) // 2)


def test_a_file_that_changed_meanwhile_is_fetched_from_its_start(
    hub: LoopbackHub, broken_off: str
) -> None:
    hub.add_file("net.pth", NEW)
    assert download(broken_off) == NEW
    assert hub.requests[-1].status == 200


def test_a_part_of_the_original_is_not_continued_from_its_mirror(
    hub: LoopbackHub, broken_off: str
) -> None:
    mirror = hub.add_file("mirror/net.pth", NEW, etag=f'"{hub.requests[-1].path}"')
    assert Url(mirror, broken_off).download(progress=False).read_bytes() == NEW
    assert "Range" not in hub.requests[-1].headers


def test_a_part_without_a_strong_etag_is_not_continued(hub: LoopbackHub) -> None:
    url = hub.add_file("net.pth", OLD, etag='W/"about the same"')
    hub.misbehave("/net.pth", Fault.truncate())
    assert download(url) == OLD
    assert [one.status for one in hub.requests] == [200, 200]


def test_a_part_that_is_longer_than_the_file_is_thrown_away(
    hub: LoopbackHub, broken_off: str
) -> None:
    part = next(home().glob("files/*/net.pth.part"))
    part.write_bytes(OLD + OLD)
    assert download(broken_off) == OLD
    assert [one.status for one in hub.requests[-2:]] == [416, 200]


def test_a_part_that_is_whole_already_is_the_file(
    hub: LoopbackHub, broken_off: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_RETRIES", "0")
    next(home().glob("files/*/net.pth.part")).write_bytes(OLD)
    assert download(broken_off) == OLD
    last = hub.requests[-1]
    assert (last.status, last.sent) == (416, 0)


def test_a_part_whose_note_is_unreadable_is_thrown_away(hub: LoopbackHub, broken_off: str) -> None:
    next(home().glob("files/*/net.pth.part.json")).write_text("{")
    assert download(broken_off) == OLD
    assert hub.requests[-1].status == 200


def test_nothing_but_the_file_and_its_lock_is_left(hub: LoopbackHub, broken_off: str) -> None:
    path = Url(broken_off, broken_off).path
    download(broken_off)
    assert {one.name for one in path.parent.iterdir()} <= {"net.pth", "net.pth.lock"}


def test_a_download_that_gets_on_is_not_given_up_however_often_it_breaks(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_RETRIES", "1")
    monkeypatch.setenv("ZOO_TIMEOUT", "0.1")
    large = os.urandom(12 << 20)
    url = hub.add_file("large.pth", large)
    hub.misbehave("/large.pth", Fault.truncate(), Fault.truncate(0.4), Fault.truncate(0.6))
    assert download(url) == large


def test_redirects_are_followed(hub: LoopbackHub) -> None:
    target = hub.add_file("elsewhere/net.pth", OLD)
    assert download(hub.add_redirect("net.pth", target)) == OLD


def test_a_server_that_asks_for_an_hour_is_not_waited_for(hub: LoopbackHub) -> None:
    url = hub.add_file("net.pth", OLD)
    hub.misbehave("/net.pth", Fault.status(429, retry_after=3600))
    with pytest.raises(SourceError, match="asks to wait 3600 s"):
        download(url)
    assert len(hub.requests) == 1


@pytest.mark.parametrize("rest", [":port/net.pth", "/caf\udce9.pth"])
def test_what_is_no_url_is_said_to_be_none(rest: str) -> None:
    with pytest.raises(SourceError, match="not a URL"):
        download(f"http://127.0.0.1{rest}")


def test_a_proxy_is_used(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.add_file("net.pth", OLD)
    url = "http://weights.invalid/net.pth"
    code = (
        "import sys; from zoo.weights.url import Url; print(Url(sys.argv[1], "
        "sys.argv[1]).download(progress=False))"
    )
    env = {**os.environ, "HTTP_PROXY": hub.endpoint, "NO_PROXY": "", "ZOO_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code, url], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).read_bytes() == OLD


@settings(max_examples=40)
@given(st.text(max_size=200))
def test_whatever_a_url_ends_in_its_file_stays_in_the_cache(name: str) -> None:
    url = f"https://example.org/{name}"
    path = Url(url, url).path
    assert path.parent.parent == home() / "files"
    assert path.name == path.name.strip(".") != ""
    assert len(os.fsencode(path.name)) < 255


def test_a_name_of_many_letters_of_three_bytes_is_cut_and_keeps_its_suffix(
    hub: LoopbackHub,
) -> None:
    url = hub.add_file("模" * 90 + ".pth", OLD)
    assert download(url) == OLD
    assert Url(url, url).path.suffix == ".pth"


def test_a_whole_file_whose_name_ends_like_a_part_stays(hub: LoopbackHub) -> None:
    first = hub.add_file("model.part", OLD)
    assert download(first) == OLD
    download(hub.add_file("net.pth", NEW))
    assert Url(first, first).find() is not None


def test_two_urls_that_end_alike_do_not_share_a_file() -> None:
    one, other = "https://example.org/a/net.pth", "https://example.org/b/net.pth"
    assert Url(one, one).path != Url(other, other).path


def test_a_part_that_does_not_exist_has_no_size_and_no_version(tmp_path: Path) -> None:
    part = PartialFile(tmp_path / "net.pth.part", "https://example.org/net.pth")
    assert (part.size, part.etag()) == (0, None)
