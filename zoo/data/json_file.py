"""The bytes of a JSON file: mapped, unpacked where gzip packed them, without byte order mark; and
JSON as records."""

from __future__ import annotations

import codecs
import gzip
import mmap
import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, TypeVar

import msgspec

from zoo.errors import DataError
from zoo.files import open_regular
from zoo.limits import TOO_DEEP

MARK = b"\xef\xbb\xbf"  # UTF-8's byte order mark, as Windows programs write it
# A packed file may unpack to the larger of these bytes and of its own size times this ratio: JSON
# packs to a tenth, zeros to a thousandth.
MAX_UNPACKED_BYTES = 1 << 28
MAX_UNPACKED_RATIO = 200
_PACKED = b"\x1f\x8b"
_BLOCK = 1 << 20
_BYTE = re.compile(r"\(byte (\d+)\)")  # where msgspec says it stumbled
_NO_NUMBER = re.compile(rb"-?(NaN|Infinity)")
_TEXT_OR_NO_NUMBER = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:NaN|Infinity)', re.DOTALL)
# What such a number becomes where it is wanted as text: its first letter is spelled as nobody does.
_SPELLED = {b"N": rb"\u004e", b"I": rb"\u0049"}
_SPELLED_NUMBER = re.compile(rb'"-?\\u00(?:4eaN|49nfinity)"')
_Kind = TypeVar("_Kind")
NoRecord: TypeAlias = list[Any] | str | float | bool | None  # anything but an object with fields


def content(path: Path) -> memoryview:
    """The bytes of a file. Raises: DataError where it can't be read, is empty, or is packed with
    too much."""
    try:
        with open_regular(path) as file:
            data = _bytes_of(file, path)
    except (OSError, ValueError, EOFError, zlib.error) as error:
        case = f"{getattr(error, 'strerror', None) or error}."
        raise DataError(f"'{path}' can't be read.", case, "Check the path.") from None
    if not len(data):
        raise wrong(str(path), "The file is empty.")
    view = memoryview(data)
    return view[len(MARK) :] if view[: len(MARK)] == MARK else view


def _bytes_of(file: BinaryIO, path: Path) -> bytes | bytearray | mmap.mmap:
    """The content, which is unpacked into memory where it is packed."""
    size = os.fstat(file.fileno()).st_size
    if not size:
        return b""
    if file.read(2) != _PACKED:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    file.seek(0)
    unpacked = bytearray()
    with gzip.open(file) as packed:
        while block := packed.read(_BLOCK):
            unpacked += block
            if len(unpacked) > max(MAX_UNPACKED_BYTES, MAX_UNPACKED_RATIO * size):
                raise wrong(str(path), f"Its {size:,} bytes unpack to more than {len(unpacked):,}.")
    return unpacked


def decoded(text: memoryview, kind: type[_Kind], name: str) -> _Kind:
    """JSON as that type, which is checked while it is parsed. Raises: DataError naming the file and
    the field."""
    _check_utf8(text, name)
    try:
        return msgspec.json.decode(text, type=kind)
    except RecursionError:
        raise wrong(name, TOO_DEEP) from None
    except msgspec.DecodeError as error:
        raise wrong(name, f"{_plainly(str(error), text) or error}.") from None


def decoded_lines(text: memoryview, kind: type[_Kind], name: str) -> list[_Kind]:
    """JSON Lines, one of that type a line. Raises: DataError naming the file and the field."""
    _check_utf8(text, name)
    try:
        return msgspec.json.Decoder(kind).decode_lines(text)
    except RecursionError:
        raise wrong(name, TOO_DEEP) from None
    except msgspec.DecodeError as error:
        raise wrong(name, f"{_plainly(str(error), text) or error}.") from None


def decoded_with_null(text: memoryview, kind: type[_Kind], name: str) -> _Kind:
    """As `decoded`, where NaN and Infinity, as Python writes them, are read as null."""
    try:
        return decoded(text, kind, name)
    except DataError:
        if not has_no_number(text):
            raise
    return decoded(_replaced(text, lambda _: b"null"), kind, name)


def has_no_number(text: memoryview) -> bool:
    """Whether NaN or Infinity may be in a file, which JSON does not have."""
    return _NO_NUMBER.search(text) is not None


def with_text_for_no_numbers(text: memoryview) -> memoryview:
    """The file with text for each NaN and Infinity, which `as_written` turns back."""
    return _replaced(text, _spelled)


def as_written(text: bytes | msgspec.Raw) -> bytes:
    """Part of a file with NaN and Infinity again, as it was before `with_text_for_no_numbers`."""
    return _SPELLED_NUMBER.sub(_unspelled, bytes(text))


def _replaced(text: memoryview, replacement: Callable[[bytes], bytes]) -> memoryview:
    """The file with something else for each NaN and Infinity outside of texts."""

    def replaced(match: re.Match[bytes]) -> bytes:
        return match[0] if match[0].startswith(b'"') else replacement(match[0])

    return memoryview(_TEXT_OR_NO_NUMBER.sub(replaced, text))


def _spelled(number: bytes) -> bytes:
    letter = number.lstrip(b"-")[:1]
    return b'"%s"' % number.replace(letter, _SPELLED[letter], 1)


def _unspelled(match: re.Match[bytes]) -> bytes:
    text: str = msgspec.json.decode(match[0])
    return text.encode()


def _check_utf8(text: memoryview, name: str) -> None:
    """Raises: DataError naming the first byte that is no UTF-8; msgspec looks at those of known
    fields alone."""
    if bytes(text[:2]) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise wrong(name, "It begins with the byte order mark of UTF-16; JSON is UTF-8.")
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(text), _BLOCK):
        block = text[start : start + _BLOCK]
        try:
            decoder.decode(block, start + _BLOCK >= len(text))
        except UnicodeDecodeError as error:
            at = start + error.start - (len(error.object) - len(block))
            raise wrong(name, f"Byte {at} is no UTF-8, which JSON is.") from None


def _plainly(error: str, text: memoryview) -> str:
    """The fault in plain words: a list, or numbers that Python writes and JSON does not have."""
    if error == "Expected `object`, got `array`":
        return (
            "It is a list, as detections are; annotations are an object with images, categories "
            "and annotations"
        )
    if (at := _BYTE.search(error)) and (
        match := _NO_NUMBER.search(text, max(0, int(at[1]) - 1), int(at[1]) + 12)
    ):
        return f"Byte {match.start()} begins {match[0].decode()}, a number that JSON does not have"
    return ""


def wrong(name: str, case: str, fix: str = "Correct the file.") -> DataError:
    """The error for a file whose content can't be."""
    return DataError(f"{name} was read.", case, fix)
