"""A YAML document, read safely: plain data, or a CardError that names file and line.

The subset is JSON's data model in YAML's clothes. Refused: duplicate keys, anchors and aliases (a
few lines of them can stand for gigabytes), tags, several documents, deep nesting, huge files. Plain
scalars follow YAML 1.2's core schema, where `no` is a word. Built straight from libyaml's events,
twice as fast as building nodes; the line of a field is looked up when it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import limits
from zoo.errors import CardError

if TYPE_CHECKING:
    import yaml

DEPTH = 24
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NUMERIC = frozenset("+-.0123456789")

Step = str | int


@dataclass(frozen=True)
class Document:
    """One YAML file's content.

    data:  its mappings, lists and scalars; every key is a string.
    lines: the line, from 1, of each key two levels down: `("cards", "yolox_nano")`.
    """

    data: dict[str, Any]
    lines: dict[tuple[str, str], int]


@dataclass(frozen=True)
class Sheet:
    """The origin of cards: the file, and its bytes where it is YAML (None for a mapping that
    Python code handed over)."""

    origin: Path
    raw: bytes | None = None

    def flaw(self, case: str, fix: str, *, at: Sequence[Step]) -> CardError:
        """The error for something wrong in the field that the steps `at` lead to."""
        line = None if self.raw is None else locate(self.raw, at)
        return flaw(self.origin, case, fix, line=line, field=spell(at))


def spell(steps: Sequence[Step]) -> str:
    """Steps to a field as one reads them: `cards.yolox_nano.sources[0]`."""
    return "".join(
        f"[{step}]" if isinstance(step, int) else f".{step:.60}" for step in steps
    ).removeprefix(".")


def flaw(
    origin: Path | str, case: str, fix: str, *, line: int | None = None, field: str = ""
) -> CardError:
    """The error for something wrong in the file `origin`, at `line` and `field` where they are
    known."""
    where = ", ".join(
        part
        for part in (f"line {line}" if line else "", f"field '{field}'" if field else "")
        if part
    )
    return CardError(
        f"Cards were read from '{origin}'.",
        f"{where[0].upper()}{where[1:]}: {case}" if where else case,
        fix,
    )


def read(path: Path) -> bytes:
    """The bytes of a registry file; CardError if there is no such file, or it is not a regular
    file, or too large."""
    try:
        return limits.read(path)
    except limits.LimitError as error:
        raise flaw(path, str(error), error.fix) from error.__cause__


def is_plain_text(text: str) -> bool:
    """Whether text without quotes is read as text, and not as a number, a boolean or nothing."""
    return text not in _WORDS and not _is_number(text)


def _is_number(text: str) -> bool:
    return text[0] in _NUMERIC and _NUMBER.fullmatch(text) is not None


def parse(raw: bytes, origin: Path) -> Document:
    """The document in `raw`; CardError with a line where it is not a mapping in the safe subset."""
    with _reader(raw, origin) as reader:
        return reader.document()


def parse_value(raw: bytes, origin: Path | str) -> Any:
    """One value, as the field of a card holds it: `64`, `[64, 64]`. CardError where it is not in
    the safe subset."""
    with _reader(raw, origin) as reader:
        return reader.value()


@contextmanager
def _reader(raw: bytes, origin: Path | str) -> Iterator[_Reader]:
    from yaml import YAMLError  # deferred: a listing that finds its index never parses YAML

    text = _decode(raw, origin)
    try:
        limits.check_yaml(raw, depth=DEPTH)
        yield _Reader(_loader(text).get_event, origin)
    except limits.LimitError as error:
        raise flaw(origin, str(error), error.fix) from None
    except YAMLError as fault:
        mark = getattr(fault, "problem_mark", None) or getattr(fault, "context_mark", None)
        position = getattr(fault, "position", None)
        line = (
            mark.line + 1
            if mark
            else text.count("\n", 0, position) + 1
            if position is not None
            else None
        )
        problem = (
            getattr(fault, "problem", None) or getattr(fault, "reason", None) or "it does not parse"
        )
        raise flaw(
            origin,
            f"It is not YAML: {problem}.",
            "Mind the indentation, and quote text with ': ' or '#' in it.",
            line=line,
        ) from fault


def locate(raw: bytes, steps: Sequence[Step]) -> int | None:
    """The line, from 1, of the field that `steps` lead to in a document that `parse` accepts; of
    its nearest parent otherwise."""
    import yaml

    node = yaml.compose(
        raw.decode("utf-8-sig"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )
    line: int | None = None
    for step in steps:
        if isinstance(node, yaml.MappingNode) and (
            pair := [pair for pair in node.value if pair[0].value == step]
        ):
            line, node = pair[0][0].start_mark.line + 1, pair[0][1]
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value)
        ):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _decode(raw: bytes, origin: Path | str) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise flaw(origin, "It is not UTF-8 text.", "Save it as UTF-8.", line=line) from error
    return text


def _loader(text: str) -> yaml.CSafeLoader | yaml.SafeLoader:
    """libyaml's parser, or PyYAML's own where it was built without libyaml."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)


class _Reader:
    """Builds plain data from parser events; one reader a document."""

    def __init__(self, next_event: Callable[[], Any], origin: Path | str) -> None:
        from yaml import events

        self._next = next_event
        self._origin = origin
        self._scalar = events.ScalarEvent
        self._mapping, self._mapping_end = events.MappingStartEvent, events.MappingEndEvent
        self._list, self._list_end = events.SequenceStartEvent, events.SequenceEndEvent
        self._alias, self._stream_end = events.AliasEvent, events.StreamEndEvent
        self._lines: dict[tuple[str, str], int] = {}
        self._section = ""

    def document(self) -> Document:
        self._next()  # the stream starts
        if type(self._next()) is self._stream_end:
            raise flaw(self._origin, "It is empty.", "Begin it with `schema: 2`.")
        event = self._next()
        if type(event) is not self._mapping:
            raise self._flaw(
                event,
                "A registry file is a mapping, and this is not.",
                "Begin it with `schema: 2`.",
            )
        return Document(self._alone(event), self._lines)

    def value(self) -> Any:
        self._next()  # the stream starts
        return None if type(self._next()) is self._stream_end else self._alone(self._next())

    def _alone(self, event: Any) -> Any:
        """The value that begins there, after which nothing else comes."""
        value = self._value(event, 0)
        self._next()  # the document ends
        event = self._next()
        if type(event) is not self._stream_end:
            raise self._flaw(
                event,
                "A second document begins.",
                "Remove the `---`, or make it a file of its own.",
            )
        return value

    def _value(self, event: Any, depth: int) -> Any:
        kind = type(event)
        if kind is self._alias or event.anchor is not None or event.tag is not None:
            raise self._forbidden(event)
        if kind is self._scalar:
            return self._plain(event) if event.implicit[0] else event.value
        if depth >= DEPTH:
            raise self._flaw(event, f"It is nested deeper than {DEPTH} levels.", "Flatten it.")
        return self._pairs(depth + 1) if kind is self._mapping else self._items(depth + 1)

    def _items(self, depth: int) -> list[Any]:
        items: list[Any] = []
        while type(event := self._next()) is not self._list_end:
            items.append(self._value(event, depth))
        return items

    def _pairs(self, depth: int) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        while type(event := self._next()) is not self._mapping_end:
            key = self._key(event)
            if key in pairs:
                raise self._flaw(
                    event, f"The key '{key:.40}' appears twice.", "Remove or rename one of the two."
                )
            if depth == 1:
                self._section = key
            elif depth == 2:
                self._lines[self._section, key] = event.start_mark.line + 1
            pairs[key] = self._value(self._next(), depth)
        return pairs

    def _key(self, event: Any) -> str:
        if type(event) is not self._scalar:
            raise self._flaw(
                event, "A key has to be a word.", "Quote a key that begins with [, { or *."
            )
        if event.anchor is not None or event.tag is not None:
            raise self._forbidden(event)
        return str(event.value)

    def _plain(self, event: Any) -> Any:
        """A scalar without quotes: null, boolean, number or text."""
        text = event.value
        if text in _WORDS:
            return _WORDS[text]
        if not _is_number(text):
            return text
        if len(text) <= 19 and _INTEGER.fullmatch(text):
            return int(text)
        if len(text) > 32 or _INTEGER.fullmatch(text) or not isfinite(value := float(text)):
            raise self._flaw(
                event,
                f"The number {text[:32]} is too large.",
                "Quote it if it is text, such as a hash.",
            )
        return value

    def _forbidden(self, event: Any) -> CardError:
        if getattr(event, "tag", None) is not None:
            return self._flaw(
                event,
                f"The tag '{event.tag:.40}' is not allowed.",
                "Remove it, or quote text that begins with '!'.",
            )
        return self._flaw(
            event,
            f"The anchor or alias '{event.anchor:.40}' is not allowed.",
            "Write it out; quote text that begins with & or *.",
        )

    def _flaw(self, event: Any, case: str, fix: str) -> CardError:
        return flaw(self._origin, case, fix, line=event.start_mark.line + 1)
