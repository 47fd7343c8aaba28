"""One VOC file: XML that can't do harm, and the objects in it."""

from __future__ import annotations

import codecs
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from zoo.data.values import flag
from zoo.errors import DataError
from zoo.files import read_regular

BYTES = 16 << 20  # of one file; a hundred thousand boxes take less
FLAGS = ("difficult", "truncated", "occluded")
CORNERS = ("xmin", "ymin", "xmax", "ymax")
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le"}
_MARKS |= {codecs.BOM_UTF16_BE: "utf-16-be"}
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_DOCTYPE = re.compile(r"<!DOCTYPE", re.IGNORECASE)


@dataclass
class Document:
    """The content of one file.

    size:    width and height, 0 where it does not say. origin: the first pixel's number, if it
        says.
    corners: (xmin, ymin, xmax, ymax) of each object, as written.
    flags:   difficult, truncated and occluded -> 0 or 1 of each object, 0 where it does not say.
    flags_present: which of those flags the file has at all.
    """

    filename: str = ""
    size: tuple[int, int] = (0, 0)
    origin: int | None = None
    names: list[str] = field(default_factory=list)
    corners: list[tuple[float, ...]] = field(default_factory=list)
    flags: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in FLAGS})
    flags_present: set[str] = field(default_factory=set)


def read_document(path: str | Path) -> Document:
    """The content of a file. Raises: DataError naming file and object."""
    root = parse(_bytes(path), path)
    document = Document()
    document.filename = (root.findtext("filename") or root.findtext("path") or "").strip()
    document.size = _size(root.find("size"))
    origin = (root.findtext("origin") or "").strip()
    document.origin = int(origin) if origin in ("0", "1") else None
    for number, item in enumerate(root.iter("object")):
        inner = {child.tag: child for child in item[::-1]}  # of two of one name, the first
        name = (inner["name"].text or "").strip() if "name" in inner else ""
        if not name:
            raise _wrong(path, f"Object {number} has no <name>.")
        document.names.append(name)
        document.corners.append(_corners(inner.get("bndbox"), name, number, path))
        for key, values in document.flags.items():
            if key in inner:
                values.append(_flag(inner[key].text or "", key, number, path))
                document.flags_present.add(key)
            else:
                values.append(0)
    return document


def parse(content: bytes, path: str | Path) -> ElementTree.Element:
    """The root element. A document type, which can define entities that stand for gigabytes or for
    files of this machine, is refused before anything is parsed.

    Raises: DataError for that, for what is no XML, and for other elements than `annotation`.
    """
    text = _decoded(content, path)
    if "<!" in text and _DOCTYPE.search(text):
        case = "It has a DOCTYPE, which annotations do not need and which can exhaust a machine."
        raise _wrong(path, case, "Remove the line with <!DOCTYPE, if you trust the file.")
    try:
        plain = _DECLARATION.sub("", text, count=1) if "<?xml" in text else text
        root = ElementTree.fromstring(plain)
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise _wrong(path, f"It is not XML: {error}.") from None
    if root.tag != "annotation":
        raise _wrong(path, f"Its first element is <{root.tag[:40]}>, not <annotation>.")
    return root


def _bytes(path: str | Path) -> bytes:
    content = read_regular(path)
    if len(content) > BYTES:
        raise _wrong(path, f"It has {len(content):,} bytes; at most {BYTES:,} are read.")
    return content


def _decoded(content: bytes, path: str | Path) -> str:
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            content, declared = content[len(mark) :], encoding
            break
    else:
        match = _ENCODING.match(content)
        declared = match[1].decode() if match else "utf-8"
    try:
        return content.decode(declared)
    except (UnicodeDecodeError, LookupError) as error:
        raise _wrong(path, f"It is not text: {error}.", "Save it as UTF-8.") from None


def _size(element: ElementTree.Element | None) -> tuple[int, int]:
    if element is None:
        return 0, 0
    numbers = [_number(element.findtext(key)) for key in ("width", "height")]
    width, height = [int(number) if 0 < number < 2**31 else 0 for number in numbers]
    return width, height


def _corners(
    box: ElementTree.Element | None, name: str, number: int, path: str | Path
) -> tuple[float, ...]:
    if box is None:
        raise _wrong(path, f"Object {number} ({name}) has no <bndbox>.")
    texts = {child.tag: child.text for child in box[::-1]}
    corners = tuple([_number(texts.get(key)) for key in CORNERS])
    if not math.isfinite(sum(corners)) and not all(map(math.isfinite, corners)):
        values = {key: texts.get(key) for key in CORNERS}
        raise _wrong(path, f"Object {number} ({name}) has the box {values}.")
    return corners


def _number(text: str | None) -> float:
    """A number, or not a number."""
    try:
        return float(text or "")
    except ValueError:
        return math.nan


def _flag(text: str, key: str, number: int, path: str | Path) -> int:
    plain = text.strip().lower()
    value = {"true": 1, "false": 0, "": 0, "unspecified": 0}.get(plain)
    value = flag(plain) if value is None else value
    if value is None:
        raise _wrong(path, f"Object {number} has <{key}>{text:.20}</{key}>, not 0 or 1.")
    return value


def _wrong(
    path: str | Path, case: str, fix: str = "Correct the file, or take it out."
) -> DataError:
    return DataError(f"'{path}' was read.", case, fix)
