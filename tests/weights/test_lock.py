"""The lock file is read as it was written, and a broken one names the line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import CacheError, LockError
from zoo.registry.card import HubSource
from zoo.weights import Lock, Pin, locate
from zoo.weights.lock import pinned_source
from zoo.weights.sources import HubSpec

digest = st.text("0123456789abcdef", min_size=64, max_size=64)
commit = st.none() | st.text("0123456789abcdef", min_size=40, max_size=40)
entry = st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), min_size=1, max_size=20)
pin = st.builds(
    Pin,
    source=entry,
    sha256=digest,
    bytes=st.integers(0, 2**40),
    revision=commit,
    converted=st.none() | digest,
)


@settings(max_examples=40)
@given(st.dictionaries(entry, pin, max_size=3))
def test_what_is_written_is_read(pins: dict[str, Pin]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "zoo.lock"
        Lock(pins).write(path)
        assert Lock.read(path).pins == pins


def test_it_is_written_for_people(tmp_path: Path) -> None:
    Lock(
        {
            "b/net.v1": Pin("hub:org/b@…", "b" * 64, 2, "c" * 40),
            "a/net.v1": Pin("https://a", "a" * 64, 1),
        }
    ).write(tmp_path / "zoo.lock")
    assert (tmp_path / "zoo.lock").read_text() == (
        "# Written by `zoo lock`: what each name stands for. Loads obey it; keep it under version "
        "control.\n"
        "version = 1\n"
        f'\n[weights."a/net.v1"]\nsource = "https://a"\nsha256 = "{"a" * 64}"\nbytes = 1\n'
        f'\n[weights."b/net.v1"]\nsource = "hub:org/b@…"\nsha256 = "{"b" * 64}"\nbytes = '
        f'2\nrevision = "{"c" * 40}"\n'
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = 1\nweights = \n", "line 2"),
        ("version = 1\n[weights.", "not TOML"),
        (
            'version = 1\n\n[weights."a/net"]\nsource = "x"\nbytes = 1\n',
            "line 3, 'a/net'(.|\n)*sha256",
        ),
        (
            f'version = 1\n[weights.a]\nsource = "x"\nbytes = "1"\nsha256 = "{"a" * 64}"\n',
            "line 2, 'a'(.|\n)*Expected a whole number",
        ),
        (
            'version = 1\n[weights.a]\nsource = "x"\nbytes = 1\nsha256 = "abc"\n',
            "line 2, 'a'(.|\n)*sha256",
        ),
        ("version = 2\n", "version 2"),
        ("", "version None"),
        ("version = 1\nweights = 3\n", "reads version 1"),
        ("\x00", "line 1"),
    ],
)
def test_a_broken_lock_file_names_the_line_and_how_to_write_it_anew(
    text: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "zoo.lock").write_text(text)
    with pytest.raises(LockError, match=f"{said}(.|\n)*zoo lock"):
        Lock.read(tmp_path / "zoo.lock")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "zoo.lock").write_bytes(b"\xff\xfe")
    with pytest.raises(LockError, match="not TOML"):
        Lock.read(tmp_path / "zoo.lock")


def test_a_place_that_cant_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CacheError, match="ZOO_LOCK"):
        Lock().write(tmp_path / "file" / "zoo.lock")


@pytest.mark.parametrize(
    "source", ["file:secret", "https://example.org/a", f"hub:org/other@{'a' * 40}:a"]
)
def test_a_place_on_the_hub_is_locked_to_a_commit_of_it(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").touch()
    Lock({"hub:org/net": Pin(source, "a" * 64, 1)}).write(tmp_path / "zoo.lock")
    with pytest.raises(LockError, match="not a commit of hub:org/net"):
        locate("hub:org/net")


COMMIT = "c" * 40


def test_a_pin_gives_the_commit_of_its_own_repository(sha256: Callable[[bytes], str]) -> None:
    pin = Pin(f"hub:org/net@{COMMIT}:card.yaml", sha256(b""), 0)
    assert pinned_source(HubSpec("org/net"), pin) == HubSource(
        repo="org/net", revision=COMMIT, file="card.yaml"
    )
    with pytest.raises(LockError, match="not a commit of hub:org/other"):
        pinned_source(HubSpec("org/other"), pin)
