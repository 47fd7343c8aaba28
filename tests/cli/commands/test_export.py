"""`zoo export`."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import zoo
from zoo.cli.app import app
from zoo.engines import Accuracy, Exported, Int8, Parity, Quantized
from zoo.engines.latency import Speed

MADE = Exported(
    path=Path("x.onnx"),
    name="yolox_pico.shapes",
    format="onnx",
    bytes=2_300_000,
    float32_bytes=2_300_000,
    precision="float32",
    batch=None,
    dynamic_size=False,
    exporter="legacy",
    tried=("dynamo, batch dynamic: it failed",),
    parity=Parity(7, [(320, 320)], [1, 2, 3], {"values": 1e-5}, 254, 1e-6, 1e-4),
    accuracy=None,
    int8=None,
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


LIGHTER = replace(
    MADE,
    bytes=1_200_000,
    precision="float16",
    parity=replace(MADE.parity, unmatched=2),
    accuracy=Accuracy("coco128", 128, 0.3386, 0.3381, -0.002, 0.0005, 0.4),
)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app(["export"]), ["export", *arguments])


def test_it_says_what_was_compared(asked: dict[str, Any]) -> None:
    ran = run("yolox_pico", "--to", "x.onnx", "--batch", "1", "--exporter", "legacy")
    assert ran.exit_code == 0, ran.output
    assert (asked["batch"], asked["exporter"], asked["format"]) == (1, "legacy", None)
    assert "2.3 MB, any number of images at once, written by legacy" in ran.output
    assert "254 detections: scores by 1e-06, boxes by 0.0001 pixels" in ran.output
    assert "Not possible: dynamo, batch dynamic: it failed" in ran.output
    start, end = ran.stderr.splitlines()
    assert start == "Exporting yolox_pico.shapes to x.onnx; this takes up to minutes."
    assert end == "Exported in 5 s."


def test_json_has_all_of_it(asked: dict[str, Any]) -> None:
    ran = run("yolox_pico", "--to", "x.onnx", "--json")
    document = json.loads(ran.stdout)
    assert document["parity"]["outputs"] == {"values": 1e-5}
    assert document["path"] == "x.onnx"
    assert asked["images"] == ()


def test_two_lighter_files_at_once_are_refused_before_data_is_asked_for() -> None:
    ran = run("yolox_pico", "--to", "x.onnx", "--half", "--int8")
    assert "--half and --int8 were given together" in str(ran.exception)


def test_a_batch_that_is_none_is_refused() -> None:
    ran = run("yolox_pico", "--to", "x.onnx", "--batch", "many")
    assert ran.exit_code != 0
    assert "dynamic for any number" in str(ran.exception)


def test_a_lighter_file_says_what_it_gains_and_loses(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "MADE", LIGHTER)
    ran = run("yolox_pico", "--to", "x.onnx", "--half", "--data", "coco:x.json")
    assert (asked["half"], asked["data"]) == (True, "coco:x.json")
    assert "Weights in float16: 52 % of 2.3 MB in float32" in ran.output
    assert "AP 33.8, and 33.9 in float32, on 128 images of coco128: -0.05 points" in ran.output
    assert "boxes by 0.0001 pixels; 2 in one of the two alone" in ran.output


def test_an_int8_file_says_how_many_layers_and_how_fast(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    speed = Speed(before=18.5, after=16.9, ratio=0.91, low=0.9, high=0.93)
    outcome = Quantized(113, ("a", "b", "c"), 32, 0.5, speed, ())
    made = replace(LIGHTER, precision="int8", int8=outcome)
    monkeypatch.setattr(sys.modules[__name__], "MADE", made)
    ran = run(
        *("yolox_pico", "--to", "x.onnx", "--int8", "--calibrate", "coco:x.json"),
        *("--budget", "0.3", "--even-if-slower"),
    )
    assert asked["int8"] == Int8("coco:x.json", budget=0.3, even_if_slower=True)
    assert "110 of 113 layers in int8, calibrated on 32 images: 16.9 ms of one core" in ran.output
    assert "Compared in float32, before it was quantised, with torch on 7 images" in ran.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--int8",), "Add --calibrate coco:PATH"),
        (("--budget", "1"), "--budget was given"),
        (("--even-if-slower",), "--even-if-slower was given"),
    ],
)
def test_options_of_int8_go_together(options: tuple[str, ...], message: str) -> None:
    ran = run("yolox_pico", "--to", "x.onnx", *options)
    assert ran.exit_code != 0
    assert message in str(ran.exception)
