"""Limits of the documents that others write, checked before a library parses them: how large, and
how deep."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from zoo.files import open_regular

MAX_FILE_BYTES = 64 << 20
DEPTH = 64

# Of files so large that only the parser counts, and stops before the stack does.
TOO_DEEP = "It is nested too deeply for any reader."

# Whatever a JSON document of unknown origin can make `msgspec` and the file system raise.
UNREADABLE = (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_JSON_TEXT = rb'"(?:[^"\\]|\\.)*+"?'
_TOML_TEXT = (
    rb'"""(?:[^\\]|\\.)*?(?:"""|\Z)'
    rb"|'''.*?(?:'''|\Z)"
    rb'|"(?:[^"\\\n]|\\.)*+"?'
    rb"|'[^'\n]*+'?"
    rb"|#[^\n]*+"
)
_TOML_KEY = re.compile(rb"(?<![\w.-])[\w-]++(?:[ \t]*\.[ \t]*[\w-]++){%d}" % DEPTH)
_YAML_KEY = rb"""(?:'[^'\n]*+'|"[^"\n]*+"|[\w.-]++)[ \t]*+:"""
_YAML_OPENED = rb"[\[{](?:[\s,?-]++|" + _YAML_KEY + rb")*+"
_OPENS = (b"[", b"{")
_PLAIN = bytes(set(range(256)) - set(b'[]{}"\\'))


class LimitError(ValueError):
    """A document is too large or too deep, or can't be read; the text says so. fix: what to do
    about it."""

    def __init__(self, case: str, fix: str) -> None:
        super().__init__(case)
        self.fix = fix


def read(path: Path, *, most: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of a file that others wrote.

    most: bytes that are read before the file is refused.
    Raises: LimitError if it is not a regular file, is too large, or can't be read, with the reason.
    """
    try:
        with open_regular(path) as file:
            raw = file.read(most + 1)
    except (OSError, ValueError) as error:
        case = f"It can't be read: {getattr(error, 'strerror', None) or error}."
        raise LimitError(case, "Check the path and its permissions.") from error
    if len(raw) > most:
        raise LimitError(f"It is larger than {most >> 20} MB.", "Split it into several files.")
    return raw


def check_json(raw: bytes, *, depth: int = DEPTH) -> None:
    """Raises: LimitError, with the line, where objects and lists stand in one another deeper than
    `depth`."""
    if _count_openings(raw) <= depth:
        return
    brackets = raw.translate(None, _PLAIN).replace(b'""', b"")  # most text has no bracket in it
    if brackets.translate(None, b"[]{}"):
        brackets = re.sub(_JSON_TEXT + rb'|[^\[\]{}"]++', b"", raw, flags=re.DOTALL)
    _check_nesting(brackets, raw, _JSON_TEXT, depth)


def check_toml(raw: bytes, *, depth: int = DEPTH) -> None:
    """Raises: LimitError, with the line, where arrays, tables or dotted keys go deeper than
    `depth`."""
    if _count_openings(raw) > depth:
        brackets = re.sub(_TOML_TEXT + rb"|[^\[\]{}\"'#]++", b"", raw, flags=re.DOTALL)
        _check_nesting(brackets, raw, _TOML_TEXT, depth)
    # A key of many parts costs a parser the square of their number.
    bare = re.sub(
        _TOML_TEXT, lambda text: b"s" + b"\n" * text[0].count(b"\n"), raw, flags=re.DOTALL
    )
    if key := _TOML_KEY.search(bare):
        raise _too_deep(bare, key.start(), DEPTH)


def check_yaml(raw: bytes, *, depth: int) -> None:
    """Raises: LimitError, with the line, where more than `depth` brackets open one right after the
    other.

    What is nested deeper in another way is found while the events are read.
    """
    if _count_openings(raw) > depth and (
        match := re.search(b"(?:%s){%d}" % (_YAML_OPENED, depth + 1), raw)
    ):
        raise _too_deep(raw, match.end() - 1, depth)


def _count_openings(raw: bytes) -> int:
    return sum(raw.count(bracket) for bracket in _OPENS)


def _check_nesting(brackets: bytes, raw: bytes, text: bytes, depth: int) -> None:
    """Takes the innermost brackets away, level by level; looks for the line where some are left."""
    for _ in range(depth):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    level = 0
    for token in re.finditer(text + rb"|[\[\]{}]", raw, flags=re.DOTALL):
        if token[0] in _OPENS:
            level += 1
            if level > depth:
                raise _too_deep(raw, token.start(), depth)
        elif token[0] in (b"]", b"}"):
            level -= 1


def _too_deep(raw: bytes, position: int, depth: int) -> LimitError:
    line = raw.count(b"\n", 0, position) + 1
    return LimitError(f"Line {line}: It is nested deeper than {depth} levels.", "Flatten it.")
