"""Registry files made to hurt: each is refused in a moment, with a sentence that names the file."""

import errno
import os
import random
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import CardError, ZooError
from zoo.limits import MAX_FILE_BYTES
from zoo.printable import printable
from zoo.registry.registry_file import USER, parse_registry_file, read_registry_file
from zoo.registry.yaml_document import DEPTH

CARD = "schema: 2\ncards:\n  nano:\n    architecture: acme/net\n    labels: coco80\n"


def refused(path: Path) -> str:
    with pytest.raises(CardError) as caught:
        read_registry_file(path, owner=USER)
    assert printable(str(path)) in caught.value.failure
    assert caught.value.fix
    return caught.value.case


def file(folder: Path, content: str | bytes) -> Path:
    path = folder / "hostile.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


BILLION_LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{this}: &{this} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, this in zip("abcdefgh", "bcdefghi", strict=True)
)
FILES: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "It is empty."),
    "nothing but a comment": ("# later\n\n", "It is empty."),
    "a billion laughs": (BILLION_LAUGHS, "Line 1: The anchor or alias 'a' is not allowed."),
    "an alias of nothing": ("schema: *x\n", "Line 1: The anchor or alias 'x' is not allowed."),
    "an anchored key": ("&k schema: 2\n", "Line 1: The anchor or alias 'k'"),
    "a merge key": ("schema: 2\ncards:\n  a: {<<: {labels: x}}\n", "There is no field '<<' here."),
    "a Python object": (
        "schema: !!python/object/apply:os.system ['echo hacked']\n",
        "Line 1: The tag",
    ),
    "a tag of a scalar": ("schema: !!int '1'\n", "Line 1: The tag"),
    "a tag of one's own": (
        "schema: !include /etc/passwd\n",
        "Line 1: The tag '!include' is not allowed.",
    ),
    "a nesting bomb of lists": (f"schema: {'[' * 100_000}", f"deeper than {DEPTH} levels"),
    "a nesting bomb of mappings": ("{a: " * 100_000, f"deeper than {DEPTH} levels"),
    "a nesting bomb of blocks": ("- " * 100_000, "A registry file is a mapping"),
    "not UTF-8": (b"schema: 2\ncards:\n  caf\xe9: {}\n", "Line 3: It is not UTF-8 text."),
    "UTF-16": ("schema: 2\n".encode("utf-16"), "It is not UTF-8 text."),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "It is not UTF-8 text."),
    "a null byte": (b"schema: 2\nca\0rds: {}\n", "It is not YAML"),
    "a control character": (b"schema: 2\na: \x07\n", "It is not YAML"),
    "tabs for spaces": ("schema: 2\ncards:\n\tnano: {}\n", "Line 3: It is not YAML"),
    "an open quote": (CARD + "    summary: 'it never ends\n", "It is not YAML"),
    "another language": (
        '<?xml version="1.0"?><cards/>',
        "A registry file is a mapping, and this is not.",
    ),
    "a duplicate card": (CARD + "  nano: {}\n", "Line 6: The key 'nano' appears twice."),
    "a duplicate field": (CARD + "    labels: voc20\n", "Line 6: The key 'labels' appears twice."),
    "an endless number": (f"schema: {'9' * 100_000}\n", "Line 1: The number"),
    "an endless word": (f"schema: {'a' * 1_000_000}\n", "Line 1, field 'schema'"),
    "an endless name": (
        f"schema: 2\ncards:\n  ? {'A' * 100_000}\n  : {{}}\n",
        "Line 3, field 'cards.AAA",
    ),
    "an endless field": (f"schema: 2\n? {'a' * 100_000}\n: 1\n", "There is no field 'aaa"),
    "an endless class twice": (
        f"{CARD[:-7]}[{'a' * 100_000}, {'a' * 100_000}]\n",
        "Line 5, field 'cards.nano.labels'",
    ),
    "an endless tag": (f"schema: !{'a' * 100_000} 1\n", "The tag '!aaa"),
    "a null name": ("schema: 2\ncards:\n  ~: {}\n", "Line 3, field 'cards.~'"),
    "a path for a name": (
        "schema: 2\ncards:\n  ../../etc/passwd: {architecture: a/b, labels: c}\n",
        "Line 3",
    ),
    "cards in a list": ("schema: 2\ncards:\n  - nano\n", "Line 2, field 'cards'"),
    "a card in a word": ("schema: 2\ncards:\n  nano: yes\n", "Line 3, field 'cards.nano'"),
    "everything null": ("schema: ~\n", "Line 1, field 'schema'"),
}


@pytest.mark.parametrize("kind", list(FILES))
def test_a_hostile_file_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    content, says = FILES[kind]
    case = refused(file(tmp_path, content))
    assert says in case
    assert len(case) < 500


def test_a_hundred_thousand_classes_are_checked_in_a_moment(tmp_path: Path) -> None:
    classes = [f"class {number}" for number in range(100_000)]
    assert (
        read_registry_file(file(tmp_path, f"{CARD[:-7]}{classes}\n"), owner=USER).rows[0].classes
        == 100_000
    )
    assert "listed twice" in refused(file(tmp_path, f"{CARD[:-7]}{[*classes, 'class 7']}\n"))


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as sparse:
        sparse.truncate(MAX_FILE_BYTES + 1)
    assert "larger than 64 MB" in refused(path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "Is a directory" in refused(tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert os.strerror(errno.ENOENT) in refused(tmp_path / "nowhere.yaml")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in the file system")
def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "not a regular file" in refused(tmp_path / "pipe.yaml")


def test_a_link_that_leads_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    assert "can't be read" in refused(tmp_path / "loop.yaml")


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="the superuser may read everything"
)
def test_a_file_one_may_not_read_is_refused(tmp_path: Path) -> None:
    path = file(tmp_path, CARD)
    path.chmod(0)
    assert os.strerror(errno.EACCES) in refused(path)


def test_a_name_that_no_file_can_have_is_refused() -> None:
    assert "can't be read" in refused(Path("a\0b.yaml"))


@settings(max_examples=200)
@given(st.integers(0, 2**32), st.integers(1, 8))
def test_a_damaged_file_is_read_or_refused_but_never_crashes(seed: int, bytes_changed: int) -> None:
    rng = random.Random(seed)
    raw = bytearray(VALID)
    for _ in range(bytes_changed):
        raw[rng.randrange(len(raw))] = (
            rng.choice(b"\0\t\n\r !&*'\"#%,-.:?@[]`{|}~0a\xff")
            if rng.random() < 0.7
            else rng.randrange(256)
        )
    try:
        registry_file = parse_registry_file(bytes(raw), Path("damaged.yaml"), owner=USER)
    except ZooError as error:
        assert isinstance(error, CardError)  # noqa: PT017  # reading it is as good as refusing it
    else:
        assert [registry_file.card(position) for position in range(len(registry_file.rows))]


VALID = yaml.safe_dump(
    {
        "schema": 2,
        "aliases": {"tiny": "nano.coco"},
        "mirrors": {"https://example.org/": "http://127.0.0.1/"},
        "cards": {
            "nano": {
                "architecture": "acme/net",
                "labels": ["a", "b"],
                "arguments": {"depth": 0.33},
                "input": {"resize": "letterbox", "size": [416, 416], "mean": [0.5, 0.5, 0.5]},
                "parameters": 910000,
                "weights": {
                    "coco": {
                        "files": {
                            "model": [
                                {
                                    "kind": "url",
                                    "url": "https://example.org/x",
                                    "sha256": "258fb6c6",
                                }
                            ]
                        }
                    }
                },
            }
        },
    }
).encode()
