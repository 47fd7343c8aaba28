"""Facts in exported files are read without the libraries that wrote them, from hostile files as
well."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import CardError
from zoo.registry import catalogue
from zoo.registry.exported import (
    EXTRA,
    IR,
    SCHEMA,
    ExportFacts,
    GraphInput,
    exported_file,
    read_facts,
)

CARD = {"architecture": "yolox/yolox", "labels": ["a"], "arguments": {"size": 64}}
SOURCE = {"kind": "file", "path": "mini.safetensors"}
FACTS = ExportFacts(
    format="onnx",
    name="mini.own",
    model="mini",
    card={**CARD, "weights": {"own": {"files": {"model": [SOURCE]}}}, "default": "own"},
    labels=["a"],
    thresholds={"score": 0.5, "iou": 0.5, "max_boxes": 10},
    licenses={},
    weights={},
    preprocess={},
    input=GraphInput(size=(64, 64)),
    leaves=[],
    structure="",
    exporter="dynamo",
    versions={},
)


def _onnx(text: bytes) -> bytes:
    def field(number: int, content: bytes) -> bytes:
        length, size = len(content), b""
        while length > 127:
            size, length = size + bytes([length & 127 | 128]), length >> 7
        return bytes([number << 3 | 2]) + size + bytes([length]) + content

    weights = field(7, b"\0" * 1000)
    return b"\x08\x08" + weights + field(14, field(1, b"detzoo") + field(2, text))


def _write(path: Path, text: bytes) -> Path:
    if path.suffix == ".onnx":
        path.write_bytes(_onnx(text))
    elif path.suffix == ".pt2":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"model/extra/{EXTRA}", text)
    else:
        value = text.decode().replace("&", "&amp;").replace('"', "&quot;")
        path.write_text(f'<net><rt_info><detzoo value="{value}"/></rt_info></net>')
    return path


@pytest.mark.parametrize("name", ["x.onnx", "x.pt2", IR])
def test_facts_are_read(tmp_path: Path, name: str) -> None:
    path = _write(tmp_path / name, msgspec.json.encode(FACTS))
    assert read_facts(path) == FACTS
    choice = catalogue().resolve(f"file:{path}")
    assert (choice.name, choice.entry.card.arguments) == ("mini.own", {"size": 64})


def test_a_folder_with_a_graph_is_an_exported_file(tmp_path: Path) -> None:
    assert exported_file(tmp_path) is None
    _write(tmp_path / IR, msgspec.json.encode(FACTS))
    assert exported_file(tmp_path) == tmp_path / IR
    assert catalogue().resolve(f"file:{tmp_path}").name == "mini.own"


@pytest.mark.parametrize("name", ["x.onnx", "x.pt2", "x.xml"])
@given(text=st.binary(max_size=200))
def test_a_damaged_file_is_said_to_be_one(
    tmp_path_factory: pytest.TempPathFactory, name: str, text: bytes
) -> None:
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(text)
    with pytest.raises(CardError):
        read_facts(path)


LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


@pytest.mark.parametrize(
    ("field", "value"),
    [("content", b"\xff\xff"), ("compression", b"\x63\x00"), ("flags", b"\x01\x00")],
)
def test_an_archive_with_a_wrong_byte_is_said_to_be_damaged(
    tmp_path: Path, field: str, value: bytes
) -> None:
    path = tmp_path / "x.pt2"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"m/extra/{EXTRA}", msgspec.json.encode(FACTS))
    raw = bytearray(path.read_bytes())
    central = raw.index(CENTRAL)
    name = len(f"m/extra/{EXTRA}")
    places = {"content": [30 + name], "flags": [6, central + 8], "compression": [8, central + 10]}
    for place in places[field]:
        raw[place : place + 2] = value
    path.write_bytes(raw)
    with pytest.raises(CardError, match="It is damaged"):
        read_facts(path)


def test_another_schema_and_deep_facts_are_refused(tmp_path: Path) -> None:
    for schema, fix in ((SCHEMA + 1, "Upgrade"), (SCHEMA - 1, "Export it again")):
        other = json.dumps({**msgspec.to_builtins(FACTS), "schema": schema}).encode()
        with pytest.raises(CardError, match=fix):
            read_facts(_write(tmp_path / "x.onnx", other))
    with pytest.raises(CardError, match="damaged"):
        read_facts(_write(tmp_path / "y.onnx", b"[" * 5000))


def test_a_file_that_is_not_there_and_one_of_another_tool(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="no such file"):
        read_facts(tmp_path / "x.onnx")
    (tmp_path / "y.onnx").write_bytes(b"\x08\x08")
    with pytest.raises(CardError, match="zoo export did not write it"):
        read_facts(tmp_path / "y.onnx")
