"""The index of compiled registry files: it never changes what is read, only how long that takes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.environment import home
from zoo.errors import CardError
from zoo.registry import index
from zoo.registry.index import indexed_file
from zoo.registry.registry_file import USER, RegistryFile

Write = Callable[..., Path]
CARDS = (
    "schema: 2\ncards:\n  nano: {{architecture: acme/net, labels: coco80, parameters: "
    "{parameters}}}\n"
)


@pytest.fixture(autouse=True)
def _quick_to_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "SETTLED_NS", 20_000_000)


@pytest.fixture
def path(write: Write) -> Path:
    """A registry file whose last change was long enough ago."""
    path = write(CARDS.format(parameters=111))
    time.sleep(0.05)
    return path


def entry() -> Path:
    [found] = (home() / "index").iterdir()
    return found


def parameters(registry_file: RegistryFile) -> tuple[int | None, int | None]:
    """What the row says and what the card says."""
    return registry_file.rows[0].parameters, registry_file.card(0).parameters


def never(*_: object, **__: object) -> RegistryFile:
    raise AssertionError("This work should have been spared.")


def test_a_file_that_did_not_change_is_not_even_opened(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = indexed_file(path, owner=USER)
    monkeypatch.setattr(index, "read", never)
    again = indexed_file(path, owner=USER)
    assert (again.origin, again.listing, again.card(0)) == (
        first.origin,
        first.listing,
        first.card(0),
    )


def test_a_file_that_only_looks_changed_is_opened_but_not_parsed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed_file(path, owner=USER)
    os.utime(path)
    time.sleep(0.05)
    monkeypatch.setattr(index, "parse_registry_file", never)
    assert parameters(indexed_file(path, owner=USER)) == (111, 111)
    monkeypatch.setattr(index, "read", never)
    assert parameters(indexed_file(path, owner=USER)) == (111, 111)


def test_an_entry_made_right_after_a_change_is_checked_against_the_bytes(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "SETTLED_NS", 10**18)
    path = write(CARDS.format(parameters=111))
    indexed_file(path, owner=USER)
    monkeypatch.setattr(index, "parse_registry_file", never)
    assert parameters(indexed_file(path, owner=USER)) == (111, 111)
    monkeypatch.setattr(index, "read", never)
    with pytest.raises(AssertionError, match="spared"):
        indexed_file(path, owner=USER)


def test_a_change_that_leaves_size_and_modification_time_alone_is_seen(path: Path) -> None:
    times = path.stat()
    assert parameters(indexed_file(path, owner=USER)) == (111, 111)
    path.write_text(CARDS.format(parameters=222))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert parameters(indexed_file(path, owner=USER)) == (222, 222)


def test_a_change_right_after_another_is_seen(write: Write) -> None:
    path = write(CARDS.format(parameters=111))
    assert parameters(indexed_file(path, owner=USER)) == (111, 111)
    path.write_text(CARDS.format(parameters=222))
    assert parameters(indexed_file(path, owner=USER)) == (222, 222)


def test_owners_do_not_share_an_entry(path: Path) -> None:
    assert indexed_file(path, owner=USER).rows[0].plugin == "user"
    assert indexed_file(path, owner="acme").rows[0].plugin == "acme"
    assert indexed_file(path, owner=USER).rows[0].plugin == "user"


def test_a_broken_file_is_refused_every_time_and_leaves_no_entry(write: Write) -> None:
    path = write("schema: 2\ncards: {nano: {}}")
    for _ in range(2):
        with pytest.raises(CardError):
            indexed_file(path, owner=USER)
    assert not (home() / "index").exists()


def test_a_file_that_disappeared_is_not_read_from_the_index(path: Path) -> None:
    indexed_file(path, owner=USER)
    path.unlink()
    with pytest.raises(CardError, match="No such file"):
        indexed_file(path, owner=USER)


def damage(data: bytes) -> dict[str, bytes]:
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    last = bytearray(data)
    last[-2] ^= 1
    return {
        "empty": b"",
        "truncated": data[: len(data) // 2],
        "one byte short": data[:-1],
        "a bit flipped in the listing": bytes(flipped),
        "a bit flipped in the cards": bytes(last),
        "another program's": b"PK\x03\x04" + data,
        "of an older format": b"detzoo index\n" + b"\0" * 8,
    }


@pytest.mark.parametrize("kind", list(damage(b"1234")))
def test_a_damaged_entry_is_ignored(path: Path, kind: str) -> None:
    indexed_file(path, owner=USER)
    entry().write_bytes(damage(entry().read_bytes())[kind])
    assert parameters(indexed_file(path, owner=USER)) == (111, 111)


def test_a_damaged_entry_is_replaced(path: Path) -> None:
    indexed_file(path, owner=USER)
    good = entry().read_bytes()
    entry().write_bytes(good[:50])
    indexed_file(path, owner=USER)
    assert entry().read_bytes() == good


def test_an_entry_made_by_other_code_is_ignored(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(index, "code_version", lambda: b"another release")
        indexed_file(path, owner=USER)
    before = entry().read_bytes()
    assert parameters(indexed_file(path, owner=USER)) == (111, 111)
    assert entry().read_bytes() != before


def test_a_home_that_can_not_be_written_only_costs_time(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ZOO_HOME", str(tmp_path / "file" / "below"))
    assert parameters(indexed_file(path, owner=USER)) == (111, 111)


def test_a_machine_without_a_home_can_list(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_HOME", "~no-such-user-of-this-machine/cache")
    assert parameters(indexed_file(path, owner=USER)) == (111, 111)


def test_cards_are_opened_after_the_entry_was_replaced_by_another_process(path: Path) -> None:
    indexed_file(path, owner=USER)
    listed = indexed_file(path, owner=USER)
    entry().unlink()
    assert listed.card(0).parameters == 111


def test_a_card_of_a_file_that_changed_meanwhile_is_refused(path: Path) -> None:
    indexed_file(path, owner=USER)
    listed = indexed_file(path, owner=USER)
    path.write_text(CARDS.format(parameters=222))
    indexed_file(path, owner=USER)
    with pytest.raises(CardError, match="changed since it was listed"):
        listed.card(0)


def test_processes_that_write_one_entry_at_once_all_read_the_same(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from zoo.registry.index import indexed_file as "
        "read; "
    )
    code += "print([read(Path(sys.argv[1]), owner='user').card(0).parameters for _ in range(20)])"
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert {process.communicate()[0] for process in running} == {f"{[111] * 20}\n"}
    assert [one.name for one in (home() / "index").iterdir()] == [entry().name]


def test_a_relative_path_is_the_same_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    registry_file = indexed_file(Path(path.name), owner=USER)
    assert registry_file.origin == str(path)
    entry()
