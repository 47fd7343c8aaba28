"""A name and a `weights` argument: which model, which of its weights, and which file; the first
place that has it gives it, whatever goes wrong at the others."""

from collections.abc import Callable
from pathlib import Path

import pytest
from numpy import ones
from safetensors.numpy import save_file

import zoo.weights
from zoo.environment import home
from zoo.errors import (
    CheckpointError,
    IntegrityError,
    LockError,
    MissingExtra,
    NameNotFound,
    SourceError,
    WeightsError,
)
from zoo.registry import Catalogue, add, catalogue
from zoo.registry.card import FileSource, HubSource, Source, UrlSource, Weights
from zoo.testing import Fault, LoopbackHub
from zoo.weights import Lock, WeightsRequest
from zoo.weights.resolve import (
    choose,
    current_lock,
    deliver,
    is_weights_source,
    request_for,
    resolve,
)

CARDS = """
schema: 2
cards:
  mine:
    architecture: yolox/yolox
    labels: [a]
    weights:
      first: {files: {model: [{kind: file, path: first.safetensors}]}}
      second: {files: {model: [{kind: file, path: second.safetensors}]}}
  bare: {architecture: yolox/yolox, labels: [a]}
  heavy:
    architecture: yolox/yolox
    labels: [a]
    requires: [no-such-package]
    weights: {v1: {files: {model: [{kind: file, path: gone.safetensors}]}}}
"""


@pytest.fixture
def known(tmp_path: Path) -> Catalogue:
    """A catalogue with cards of a user's own, next to their weights."""
    for number, name in enumerate(("first", "second")):
        save_file({"w": ones(number + 1)}, tmp_path / f"{name}.safetensors")
    (tmp_path / "cards.yaml").write_text(CARDS)
    add(tmp_path / "cards.yaml")
    return catalogue()


@pytest.mark.parametrize(
    ("name", "weights", "tag"),
    [
        ("mine", True, "first"),
        ("mine", "second", "second"),
        ("mine.second", True, "second"),
        ("mine.second", "second", "second"),
        ("user/mine", "file:x.safetensors", "first"),
    ],
)
def test_the_tag_stands_in_the_name_or_in_weights(
    known: Catalogue, name: str, weights: bool | str, tag: str
) -> None:
    assert choose(known, name, weights).tag == tag


@pytest.mark.parametrize(
    ("name", "weights", "said"),
    [
        ("file:x.safetensors", True, "the network they belong to has to be named"),
        ("mine", "x.safetensors", "That looks like a file"),
        ("mine", "random", "No weights on its card have that tag"),
        ("mine.first", "second", "Those are two different tags"),
    ],
)
def test_what_can_not_be_meant_is_told_what_to_write(
    known: Catalogue, name: str, weights: str | bool, said: str
) -> None:
    with pytest.raises(NameNotFound, match=said):
        choose(known, name, weights)


def test_the_weights_of_the_card_have_their_tag_in_the_name(known: Catalogue) -> None:
    resolved = resolve(known, choose(known, "mine"))
    assert (resolved.name, resolved.weights) == ("mine.first", resolved.choice.weights)
    assert resolved.file is not None
    assert resolved.file.path.name == "first.safetensors"
    assert resolved.others == {}


def test_a_file_of_ones_own_is_not_the_cards(known: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "second.safetensors"
    resolved = resolve(known, choose(known, "mine", path), path)
    assert (resolved.name, resolved.weights) == ("mine", None)
    assert resolved.file is not None
    assert resolved.file.path == path


def test_random_weights_have_no_file(known: Catalogue) -> None:
    resolved = resolve(known, choose(known, "bare", False), False)
    assert (resolved.name, resolved.file, resolved.weights) == ("bare", None, None)


def test_a_card_without_weights_says_what_there_is_to_do(known: Catalogue) -> None:
    with pytest.raises(WeightsError, match=r"weights=False\), or a file of your own"):
        request_for(choose(known, "bare"))


def test_what_the_card_requires_is_said_before_a_file_is_looked_for(known: Catalogue) -> None:
    with pytest.raises(MissingExtra):
        resolve(known, choose(known, "heavy"))
    with pytest.raises(MissingExtra):
        resolve(known, choose(known, "heavy", False), False)


def test_places_begin_with_a_scheme_or_are_paths() -> None:
    assert is_weights_source("file:x")
    assert is_weights_source("hub:a/b")
    assert is_weights_source(Path("x"))
    assert not is_weights_source("first")
    assert not is_weights_source(True)


def test_a_lock_file_that_was_named_has_to_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_LOCK", str(tmp_path / "none.lock"))
    with pytest.raises(LockError, match=r"none\.lock"):
        current_lock()


def test_without_one_nothing_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert current_lock() == Lock()


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
    return zoo.weights.fetch(
        Weights(files={"model": list(sources)}), name="toy/net", tag="v1", **options
    )


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


def test_advice_of_several_lines_keeps_them(tmp_path: Path, pth: bytes) -> None:
    (tmp_path / "net.pth").write_bytes(pth)
    with pytest.raises(CheckpointError) as error:
        zoo.weights.locate(f"file:{tmp_path / 'net.pth'}")
    assert len(error.value.fix.splitlines()) == 3


def test_the_second_source_serves_where_the_first_fails(hub: LoopbackHub, weights: bytes) -> None:
    missing = UrlSource(url=f"{hub.endpoint}/none.safetensors")
    there = UrlSource(url=hub.add_file("net.safetensors", weights))
    request = WeightsRequest("a/net", "v1", Weights(files={"model": [missing, there]}))
    assert deliver(request, Lock(), mirrors={}).source == there.url


def test_where_all_fail_each_is_named(hub: LoopbackHub) -> None:
    sources = [UrlSource(url=f"{hub.endpoint}/{name}.safetensors") for name in "ab"]
    request = WeightsRequest("a/net", "v1", Weights(files={"model": list(sources)}))
    with pytest.raises(SourceError) as error:
        deliver(request, Lock(), mirrors={})
    assert all(source.url in str(error.value) for source in sources)
