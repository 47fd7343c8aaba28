"""The first place that has the weights gives them, whatever goes wrong at the others."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load, load_file

import zoo.weights
from zoo.errors import (
    CheckpointError,
    IntegrityError,
    LockError,
    OfflineError,
    SourceError,
    UsageError,
)
from zoo.registry.card import FileSource, HubSource, Source, UrlSource, Weights
from zoo.registry.home import home
from zoo.testing import Fault, LoopbackHub
from zoo.weights import Lock, Pin, WeightsRequest
from zoo.weights.cache_record import file_of

Digest = Callable[[bytes], str]
REPO, FILE = "org/repo", "model.safetensors"

CURED = [
    Fault.truncate(),
    Fault.truncate(at=0),
    Fault.stall(),
    Fault.reset(),
    Fault.status(429, retry_after=0),
    Fault.status(503),
]
LASTING = [Fault.status(401), Fault.status(403), Fault.status(404), Fault.wrong_byte()]


def a_fault(fault: Fault) -> str:
    return f"{fault.kind}{fault.code if fault.kind == 'status' else ''}-{fault.at}"


def fetch(*sources: Source, **options: object) -> zoo.weights.WeightsFile:
    return zoo.weights.fetch(Weights(sources=list(sources)), name="toy/net", tag="v1", **options)


@pytest.fixture(params=["hub", "url"])
def source(
    request: pytest.FixtureRequest, hub: LoopbackHub, weights: bytes, sha256: Digest
) -> Source:
    """The same file with its sha256 published, once on the Hub, once on any web server."""
    if request.param == "hub":
        return HubSource(
            repo=REPO, revision=hub.add(REPO, {FILE: weights}), file=FILE, sha256=sha256(weights)
        )
    return UrlSource(url=hub.add_file(f"files/{FILE}", weights), sha256=sha256(weights)[:8])


def test_a_file_arrives_whole_and_says_where_it_is_from(
    source: Source, weights: bytes, sha256: Digest
) -> None:
    fetched = fetch(source)
    assert fetched.path.read_bytes() == weights
    assert (fetched.sha256, fetched.bytes, fetched.converted) == (
        sha256(weights),
        len(weights),
        None,
    )
    assert fetched.source.endswith(FILE)
    assert fetched.revision == getattr(source, "revision", None)


@pytest.mark.parametrize("fault", CURED, ids=a_fault)
def test_a_failure_that_passes_ends_in_the_right_file(
    source: Source, hub: LoopbackHub, weights: bytes, fault: Fault
) -> None:
    hub.misbehave(f"*/{FILE}", fault)
    assert fetch(source).path.read_bytes() == weights
    assert hub.bodies(f"*/{FILE}") >= 1


@pytest.mark.parametrize(
    "fault", [Fault.status(503), Fault.status(429), Fault.stall(), Fault.reset()], ids=a_fault
)
def test_a_hub_that_fails_before_the_file_is_asked_again(
    hub: LoopbackHub, weights: bytes, fault: Fault
) -> None:
    commit = hub.add(REPO, {FILE: weights})
    hub.misbehave("*", fault, method="HEAD")
    assert fetch(HubSource(repo=REPO, revision=commit)).path.read_bytes() == weights


@pytest.mark.parametrize("fault", [*LASTING, Fault.status(503), Fault.reset()], ids=a_fault)
def test_a_failure_that_stays_is_told_and_leaves_nothing_behind(
    source: Source, hub: LoopbackHub, fault: Fault
) -> None:
    hub.misbehave(f"*/{FILE}", fault, times=None)
    with pytest.raises(SourceError if fault.kind != "wrong_byte" else IntegrityError) as error:
        fetch(source)
    assert FILE in error.value.case
    assert error.value.fix
    assert not list(home().glob(f"files/*/{FILE}"))
    assert not list(home().glob("records/*"))


@pytest.mark.parametrize(
    "fault", [Fault.stall(), Fault.truncate(at=0), Fault.status(429)], ids=a_fault
)
def test_a_web_server_that_never_gets_well_is_given_up(
    hub: LoopbackHub, weights: bytes, fault: Fault
) -> None:
    hub.misbehave(f"*/{FILE}", fault, times=None)
    with pytest.raises(SourceError, match=FILE):
        fetch(UrlSource(url=hub.add_file(FILE, weights)))
    assert len(hub.requests) == 3  # ZOO_RETRIES=2


@pytest.mark.slow
def test_a_hub_that_falls_silent_for_good_is_given_up_when_its_client_gives_up(
    hub: LoopbackHub, weights: bytes
) -> None:
    commit = hub.add(REPO, {FILE: weights})
    hub.misbehave(f"*/{FILE}", Fault.stall(), times=None)
    with pytest.raises(SourceError, match="fell silent"):
        fetch(HubSource(repo=REPO, revision=commit))
    assert hub.bodies() == 6  # once, and huggingface_hub's five more; not five times that


@pytest.mark.parametrize("fault", LASTING, ids=a_fault)
def test_the_next_source_gives_what_the_first_does_not(
    source: Source, hub: LoopbackHub, weights: bytes, fault: Fault
) -> None:
    hub.misbehave(f"*/{FILE}", fault, times=None)
    other = UrlSource(url=hub.add_file("other.safetensors", weights), sha256=source.sha256)
    fetched = fetch(source, other)
    assert (fetched.path.read_bytes(), fetched.source) == (weights, other.url)


def test_wrong_bytes_are_gone_and_the_next_fetch_gets_the_right_ones(
    source: Source, hub: LoopbackHub, weights: bytes
) -> None:
    hub.misbehave(f"*/{FILE}", Fault.wrong_byte())
    with pytest.raises(IntegrityError, match="sha256"):
        fetch(source)
    assert fetch(source).path.read_bytes() == weights


def test_a_second_fetch_asks_nobody(source: Source, hub: LoopbackHub) -> None:
    first = fetch(source)
    asked = len(hub.requests)
    assert fetch(source) == first
    assert len(hub.requests) == asked


def test_when_every_source_fails_each_is_listed_with_its_reason(
    hub: LoopbackHub, tmp_path: Path
) -> None:
    gone = UrlSource(url=f"{hub.endpoint}/gone.pth")
    missing = HubSource(repo="org/none", revision="1" * 40, file=FILE)
    absent = FileSource(path=str(tmp_path / "absent.pth"))
    with pytest.raises(SourceError) as error:
        fetch(gone, missing, absent)
    text = str(error.value)
    assert "toy/net.v1" in text
    assert f"{gone.url}: The server answers 404 Not Found." in text
    assert "org/none" in text
    assert "missing, private or gated" in text
    assert "absent.pth" in text


def test_a_gated_repository_says_where_to_accept_its_conditions(
    hub: LoopbackHub, weights: bytes
) -> None:
    commit = hub.add(REPO, {FILE: weights})
    hub.misbehave("*", Fault.status(401, error="GatedRepo"), method="HEAD", times=None)
    with pytest.raises(SourceError, match=f"gated(.|\n)*hf auth login(.|\n)*{hub.endpoint}/{REPO}"):
        fetch(HubSource(repo=REPO, revision=commit))


@pytest.mark.parametrize(
    ("revision", "file", "said"),
    [
        ("9" * 40, FILE, "no such revision"),
        (None, "other.safetensors", r"no such file(.|\n)*/tree/{commit}"),
    ],
)
def test_what_is_missing_on_the_hub_is_named(
    hub: LoopbackHub, weights: bytes, revision: str | None, file: str, said: str
) -> None:
    commit = hub.add(REPO, {FILE: weights})
    with pytest.raises(SourceError, match=said.replace("{commit}", commit)):
        fetch(HubSource(repo=REPO, revision=revision or commit, file=file))


def test_nobody_listening_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(SourceError, match="no connection"):
        fetch(HubSource(repo=REPO, revision="1" * 40), UrlSource(url="http://127.0.0.1:9/x.pth"))


def test_a_card_without_sources_says_so() -> None:
    with pytest.raises(SourceError, match="names no source"):
        fetch()


def test_a_file_without_a_published_hash_has_to_stay_what_it_was_first(
    hub: LoopbackHub, weights: bytes, pth: bytes
) -> None:
    url = UrlSource(url=hub.add_file(FILE, weights))
    first = fetch(url)
    first.path.unlink()
    hub.add_file(FILE, weights[:-1] + b"x")
    with pytest.raises(IntegrityError, match="first download") as error:
        fetch(url)
    assert str(file_of(url.url)) in error.value.fix
    file_of(url.url).unlink()
    assert fetch(url).sha256 != first.sha256


def test_a_login_page_in_place_of_a_file_is_refused_and_not_trusted(
    hub: LoopbackHub, weights: bytes
) -> None:
    url = UrlSource(url=hub.add_file(FILE, b"<html>Please log in to this network."))
    with pytest.raises(Exception, match="a web page"):
        fetch(url)
    hub.add_file(FILE, weights)
    assert fetch(url).path.read_bytes() == weights


def test_the_etag_of_the_hub_is_checked_where_the_card_has_no_hash(
    hub: LoopbackHub, weights: bytes
) -> None:
    commit = hub.add(REPO, {FILE: weights})
    hub.misbehave(f"*/{FILE}", Fault.wrong_byte())
    with pytest.raises(IntegrityError, match="ETag"):
        fetch(HubSource(repo=REPO, revision=commit))


def test_a_flipped_byte_in_the_cache_is_found_and_the_file_fetched_again(
    source: Source, weights: bytes
) -> None:
    path = fetch(source).path
    path.write_bytes(weights[:-1] + b"x")
    assert fetch(source).path.read_bytes() == weights


def test_a_truncated_file_in_the_cache_is_fetched_again(source: Source, weights: bytes) -> None:
    path = fetch(source).path
    path.write_bytes(weights[:1000])
    assert fetch(source).path.read_bytes() == weights


def test_a_damaged_file_is_not_used_offline_and_not_removed(
    source: Source, weights: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fetch(source).path
    path.write_bytes(weights[:-1] + b"x")
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(IntegrityError, match=r"is damaged, or is another file now") as error:
        fetch(source)
    assert str(path) in error.value.case
    assert (
        error.value.fix
        == "Where there is a network: zoo verify --remove toy/net.v1, then zoo pull toy/net.v1"
    )
    assert path.exists()


def test_offline_what_is_missing_is_named_with_a_way_to_get_it(
    source: Source, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OfflineError, match=r"zoo pull toy/net.v1(.|\n)*zoo bundle"):
        fetch(source)
    assert hub.requests == ()


def test_a_relative_file_is_beside_the_registry_file(tmp_path: Path, weights: bytes) -> None:
    (tmp_path / "mine.safetensors").write_bytes(weights)
    registry = tmp_path / "registry.yaml"
    registry.touch()
    for origin in (registry, tmp_path):
        assert (
            fetch(FileSource(path="mine.safetensors"), origin=origin).path
            == tmp_path / "mine.safetensors"
        )


def test_a_file_of_the_users_that_changed_is_simply_the_new_one(
    tmp_path: Path, weights: bytes, sha256: Digest
) -> None:
    file = tmp_path / "mine.safetensors"
    file.write_bytes(weights)
    assert fetch(FileSource(path=str(file))).sha256 == sha256(weights)
    changed = weights[:-1] + b"x"
    file.write_bytes(changed)
    assert fetch(FileSource(path=str(file))).sha256 == sha256(changed)


def test_a_file_of_the_users_that_is_not_the_promised_one_stays_where_it_is(
    tmp_path: Path, weights: bytes
) -> None:
    file = tmp_path / "mine.safetensors"
    file.write_bytes(weights)
    with pytest.raises(IntegrityError, match="the card says 00000000"):
        fetch(FileSource(path=str(file), sha256="00000000"))
    assert file.exists()


def test_a_pth_is_converted_once_and_both_hashes_are_known(
    hub: LoopbackHub, pth: bytes, weights: bytes, sha256: Digest
) -> None:
    card = Weights(
        sources=[UrlSource(url=hub.add_file("net.pth", pth), sha256=sha256(pth)[:8])],
        state_key="model",
    )
    first = zoo.weights.fetch(card, name="toy/net")
    assert first.sha256 == sha256(pth)
    assert first.converted == sha256(first.path.read_bytes())
    assert load_file(first.path)["conv.weight"].equal(load(weights)["conv.weight"])
    before = first.path.stat().st_mtime_ns
    assert zoo.weights.fetch(card, name="toy/net") == first
    assert first.path.stat().st_mtime_ns == before


def test_a_mirror_replaces_the_original(source: Source, hub: LoopbackHub, weights: bytes) -> None:
    with LoopbackHub() as mirror:
        mirror.add_file(f"org/repo/resolve/{getattr(source, 'revision', '')}/{FILE}", weights)
        mirror.add_file(f"mirrored/{FILE}", weights)
        mirrors = {
            "hub:": f"{mirror.endpoint}/",
            f"{hub.endpoint}/files/": f"{mirror.endpoint}/mirrored/",
        }
        fetched = fetch(source, mirrors=mirrors)
    assert fetched.path.read_bytes() == weights
    assert mirror.endpoint in (fetched.through or "")
    assert hub.requests == ()


def test_a_mirror_can_be_a_folder(
    hub: LoopbackHub, weights: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILE).write_bytes(weights)
    monkeypatch.setenv("ZOO_MIRRORS", f"https://far.example/=file://{tmp_path}/")
    fetched = fetch(UrlSource(url=f"https://far.example/{FILE}"))
    assert fetched.path == tmp_path / FILE
    assert fetched.source == f"https://far.example/{FILE}"


def test_a_mirror_with_another_file_is_refused(
    source: Source, hub: LoopbackHub, weights: bytes, tmp_path: Path
) -> None:
    other = tmp_path / FILE
    other.write_bytes(weights[:-1] + b"x")
    prefix = "hub:" if isinstance(source, HubSource) else hub.endpoint
    place = (
        tmp_path / "org/repo/resolve" / source.revision
        if isinstance(source, HubSource)
        else tmp_path / "files"
    )
    place.mkdir(parents=True)
    other.rename(place / FILE)
    with pytest.raises(IntegrityError, match="mirrored to file:"):
        fetch(source, mirrors={prefix: f"file://{tmp_path}{'/' if prefix == 'hub:' else ''}"})


def test_a_lock_file_is_obeyed(
    hub: LoopbackHub, weights: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = UrlSource(url=hub.add_file(FILE, weights))
    fetched = fetch(url)
    lock = tmp_path / "zoo.lock"
    Lock({"toy/net.v1": Pin.of(fetched)}).write(lock)
    monkeypatch.setenv("ZOO_LOCK", str(lock))
    assert fetch(url) == fetched
    changed = weights[:-1] + b"x"
    hub.add_file(FILE, changed)
    fetched.path.unlink()
    with pytest.raises(LockError, match=r"lock file says(.|\n)*zoo lock"):
        fetch(url)


def test_a_wrong_line_in_a_lock_file_takes_no_good_file_away(
    hub: LoopbackHub, weights: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = UrlSource(url=hub.add_file(FILE, weights))
    pin = Pin.of(fetch(url))
    Lock({"toy/net.v1": replace(pin, sha256="0" * 64)}).write(tmp_path / "zoo.lock")
    monkeypatch.setenv("ZOO_LOCK", str(tmp_path / "zoo.lock"))
    with pytest.raises(LockError):
        fetch(url)
    monkeypatch.setenv("ZOO_LOCK", "")
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    assert fetch(url).path.read_bytes() == weights


@pytest.mark.parametrize("setting", ["ZOO_OFFLINE", "ZOO_TIMEOUT", "ZOO_RETRIES"])
def test_a_setting_that_can_not_be_is_told_even_where_nothing_has_to_be_fetched(
    setting: str, hub: LoopbackHub, weights: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = UrlSource(url=hub.add_file(FILE, weights))
    fetch(url)
    monkeypatch.setenv(setting, "maybe")
    with pytest.raises(UsageError, match=setting):
        fetch(url)


def test_a_source_that_the_lock_rules_out_is_not_even_asked(
    hub: LoopbackHub,
    weights: bytes,
    sha256: Digest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Lock({"toy/net.v1": Pin.of(fetch(UrlSource(url=hub.add_file(FILE, weights))))}).write(
        tmp_path / "zoo.lock"
    )
    monkeypatch.chdir(tmp_path)
    asked = len(hub.requests)
    with pytest.raises(LockError, match="The card says sha256 000000000000"):
        fetch(UrlSource(url=f"{hub.endpoint}/new.pth", sha256="0" * 64))
    assert len(hub.requests) == asked


def test_relocking_accepts_what_changed(
    hub: LoopbackHub,
    weights: bytes,
    sha256: Digest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = UrlSource(url=hub.add_file(FILE, weights), sha256=sha256(weights))
    Lock({"toy/net.v1": Pin.of(fetch(url))}).write(tmp_path / "zoo.lock")
    monkeypatch.chdir(tmp_path)
    changed = weights[:-1] + b"x"
    new = UrlSource(url=hub.add_file("new.safetensors", changed), sha256=sha256(changed))
    with pytest.raises(LockError):
        fetch(new)
    zoo.weights.relock([WeightsRequest("toy/net", "v1", Weights(sources=[new]))]).write(
        tmp_path / "zoo.lock"
    )
    assert fetch(new).sha256 == sha256(changed)


def test_advice_of_several_lines_keeps_them(tmp_path: Path, pth: bytes) -> None:
    (tmp_path / "net.pth").write_bytes(pth)
    with pytest.raises(CheckpointError) as error:
        zoo.weights.locate(f"file:{tmp_path / 'net.pth'}")
    assert len(error.value.fix.splitlines()) == 3
