"""`zoo export`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import zoo
from zoo.cli.app import app
from zoo.engines import Exported, Parity

MADE = Exported(
    path=Path("x.onnx"),
    name="yolox_pico.shapes",
    format="onnx",
    bytes=2_300_000,
    batch=None,
    dynamic_size=False,
    exporter="legacy",
    tried=("dynamo, batch dynamic: it failed",),
    parity=Parity(7, [(320, 320)], [1, 2, 3], {"values": 1e-5}, 254, 1e-6, 1e-4),
    seconds=5.0,
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The options that `zoo.export` was called with."""
    given: dict[str, Any] = {}

    def export(model: object, **options: object) -> Exported:
        given.update(options, model=model)
        return MADE

    monkeypatch.setattr(zoo, "export", export, raising=False)
    return given


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app(["export"]), ["export", *arguments])


def test_it_says_what_was_compared(asked: dict[str, Any]) -> None:
    ran = run("yolox_pico", "--to", "x.onnx", "--batch", "1", "--exporter", "legacy")
    assert ran.exit_code == 0, ran.output
    assert (asked["batch"], asked["exporter"], asked["format"]) == (1, "legacy", None)
    assert "2.3 MB, any number of images at once, written by legacy" in ran.output
    assert "254 detections: scores by 1e-06, boxes by 0.0001 pixels" in ran.output
    assert "Not possible: dynamo, batch dynamic: it failed" in ran.output


def test_json_has_all_of_it(asked: dict[str, Any]) -> None:
    ran = run("yolox_pico", "--to", "x.onnx", "--json")
    document = json.loads(ran.output)
    assert document["parity"]["outputs"] == {"values": 1e-5}
    assert document["path"] == "x.onnx"
    assert asked["images"] == ()


def test_a_batch_that_is_none_is_refused() -> None:
    ran = run("yolox_pico", "--to", "x.onnx", "--batch", "many")
    assert ran.exit_code != 0
    assert "dynamic for any number" in str(ran.exception)
