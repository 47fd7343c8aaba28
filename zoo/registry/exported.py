"""Facts that an exported file carries about itself, read from ONNX, OpenVINO IR and `torch.export`
programs without any of those libraries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from zoo.errors import CardError
from zoo.files import open_regular
from zoo.limits import check_json

FACTS_KEY = "detzoo"  # of the facts, among what else a file of that format says of itself
SCHEMA = 2
EXTRA = f"{FACTS_KEY}.json"  # the facts' file in a `torch.export` program
IR = "model.xml"  # the graph in a folder of OpenVINO IR
MAX_FACTS_BYTES = 16 << 20
# The engine that stands for the first one installed that reads the file.
FIRST_READABLE_ENGINE = "first"
FORMATS = {".onnx": "onnx", ".xml": "openvino", ".pt2": "torch"}
_METADATA = 14  # the field `metadata_props` of an ONNX ModelProto
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class GraphInput(msgspec.Struct, frozen=True, kw_only=True):
    """The input of an exported network.

    size:         the height and width that it was exported at.
    batch:        images at once; null takes any number.
    dynamic_size: other heights and widths are taken as well.
    """

    name: str = "pixels"
    size: tuple[int, int]
    batch: int | None = None
    dynamic_size: bool = False
    extras: list[str] = []


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the network's outputs: the graph's output of that name, or else a number or flag
    that is the same for every image of the exported size.

    by_image: whether an output has a row for each image, as anchors, for one, have not.
    """

    name: str | None = None
    value: int | float | bool | None = None
    by_image: bool = False


class ExportFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All that an exported file says of the model it was made of.

    name:       the model's, with its weights' tag.
    model:      the name of its card. card: the card, as in a registry file.
    labels, thresholds, licenses: the classes, the family's own thresholds, and SPDX identifiers.
    weights:    `sha256` and `source` of the weights it was made of; null for random ones.
    preprocess: the type, size and settings of what makes the network's input of images.
    leaves, structure: the network's outputs, and the pytree that they make.
    exporter:   what wrote the graph. versions: of the software that did.
    precision:  of its weights: "float32", "float16" or "int8".
    parity:     what was measured against torch before the file was written.
    measured:   the AP of the file and of the float32 graph it was made of; empty where none was.
    """

    schema: int = SCHEMA
    format: str
    name: str
    model: str
    card: dict[str, Any]
    labels: list[str]
    thresholds: dict[str, int | float]
    licenses: dict[str, str | None]
    weights: dict[str, str | None]
    preprocess: dict[str, Any]
    input: GraphInput
    leaves: list[Leaf]
    structure: str
    exporter: str
    versions: dict[str, str]
    precision: str = "float32"
    parity: dict[str, Any] = {}
    measured: dict[str, Any] = {}


def exported_file(path: Path) -> Path | None:
    """The graph's file, where `path` is an exported file or a folder with one; else None."""
    if path.suffix in FORMATS:
        return path
    graph = path / IR
    return graph if graph.is_file() else None


# RuntimeError: an archive that is locked, or of a compression that Python does not know.
_DAMAGE = (OSError, EOFError, ValueError, RuntimeError)


def read_facts(path: Path) -> ExportFacts:
    """The facts in an exported file.

    Raises: CardError where it can't be read, or carries none.
    """
    import zlib  # deferred, as the next: listings do without it
    from xml.etree.ElementTree import ParseError
    from zipfile import BadZipFile

    failure = f"The exported file '{path}' can't be read."
    try:
        text = _READERS[FORMATS[path.suffix]](path)
        if text is not None:
            check_json(text)
            facts = msgspec.json.decode(text, type=ExportFacts)
            if facts.schema == SCHEMA:
                return facts
            upgrade = "Upgrade: pip install --upgrade detzoo"
            fix = upgrade if facts.schema > SCHEMA else "Export it again."
            raise CardError(failure, f"It is of schema {facts.schema}, and {SCHEMA} is read.", fix)
    except FileNotFoundError:
        fix = "Correct the path: file:PATH"
        raise CardError(failure, "There is no such file.", fix) from None
    except (*_DAMAGE, zlib.error, BadZipFile, ParseError) as error:
        raise CardError(failure, f"It is damaged: {error}.", "Export it again.") from error
    case = "It says nothing of preprocessing, classes and decoding: zoo export did not write it."
    raise CardError(failure, case, "Export the model with the zoo: zoo export NAME --to FILE.onnx")


def _of_onnx(path: Path) -> bytes | None:
    """The value of the entry in an ONNX file's `metadata_props`; its weights are skipped over."""
    with open_regular(path) as file:
        size = path.stat().st_size
        for field, length in _fields(file, size):
            end = file.tell() + length
            if field == _METADATA and length <= MAX_FACTS_BYTES:
                entry = {number: file.read(count) for number, count in _fields(file, end)}
                if entry.get(_ENTRY_KEY) == FACTS_KEY.encode():
                    return entry.get(_ENTRY_VALUE)
            file.seek(end)
    return None


def _fields(file: BinaryIO, end: int) -> Iterator[tuple[int, int]]:
    """Number and length of each field of bytes up to `end`; the file stands at its content, and
    whoever asks moves behind it."""
    while file.tell() < end:
        tag = _varint(file)
        field, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            _varint(file)
        elif kind in (_FIXED32, _FIXED64):
            file.seek(4 if kind == _FIXED32 else 8, 1)
        elif kind == _BYTES:
            length = _varint(file)
            if file.tell() + length > end:
                raise EOFError("it ends in the middle of a field")
            yield field, length
        else:
            raise ValueError("it is no ONNX file")


def _varint(file: BinaryIO) -> int:
    value = shift = 0
    while True:
        byte = file.read(1)
        if not byte:
            raise EOFError("it ends in the middle of a number")
        value |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return value
        shift += 7
        if shift > 63:
            raise ValueError("a number in it has no end")


def _of_openvino(path: Path) -> bytes | None:
    """The entry of an IR's `rt_info`."""
    from xml.etree.ElementTree import iterparse  # deferred: as above

    text: str | None = None
    with open_regular(path) as file:
        for event, element in iterparse(file, events=("start", "end")):
            if event == "end" and element.tag == FACTS_KEY:
                text = element.get("value")
            elif event == "end" and element.tag == "layer":
                element.clear()  # a network has many, and none is looked at
    return None if text is None else text.encode()


def _of_program(path: Path) -> bytes | None:
    """The extra file of a `torch.export` program."""
    from zipfile import ZipFile  # deferred: as above

    with open_regular(path) as file, ZipFile(file) as archive:
        for info in archive.infolist():
            if info.filename.endswith(f"/{EXTRA}"):
                if info.file_size > MAX_FACTS_BYTES:
                    raise ValueError("its facts are larger than any model's")
                return archive.read(info)
    return None


_READERS = {"onnx": _of_onnx, "openvino": _of_openvino, "torch": _of_program}
