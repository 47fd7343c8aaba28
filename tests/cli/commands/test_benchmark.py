"""`zoo benchmark`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from tests.timing.conftest import CALLS, FACTS
from zoo.errors import ExportError
from zoo.timing import Benchmark, NotTimed, Row, Steadiness, Variant

Shell = Callable[..., Any]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The options that `zoo.benchmark` was called with, and its result."""
    given: dict[str, Any] = {}
    row = Row.of(CALLS, FACTS, requested="auto", batch=8, start=1.25, warm=True)
    result = Benchmark(
        rows=(row, structs.replace(row, engine="torch 2", requested="torch", network_ms=None)),
        rounds=5,
        images="shapes:val",
        hardware={"processor": "A processor", "threads": "2"},
        software={"python": "3.13", "torch": "2.14"},
        steadiness=Steadiness(1.3, 0.99),
    )

    given["result"] = result

    def benchmark(models: list[str], **options: object) -> Benchmark:
        given.update(options, models=models)
        answer: Benchmark = given["result"]
        return answer

    monkeypatch.setattr(sys.modules["zoo.timing.benchmark"], "benchmark", benchmark)
    return given


def test_a_row_a_variant_is_printed(shell: Shell, asked: dict[str, Any]) -> None:
    answer = shell("benchmark", "yolox_pico", "--engine", "torch,auto", "--batch", "1,8")
    assert answer.code == 0
    header, auto, torch, *rest = answer.out.splitlines()
    assert header.split()[:5] == ["model", "engine", "threads", "batch", "median"]
    assert "auto: onnxruntime 1.32.0" in auto
    numbers = [29.0, 38.0, 275.9, 2.0, 0.5, 1.5, 0.1, 322, 1.2]
    assert [float(text) for text in auto.split()[-9:]] == numbers
    assert "–" in torch
    assert "A processor, 2 cores" in rest[-1]
    assert "up to 1.30 times its shortest time" in answer.err
    assert asked["engines"] == ["torch", "auto"]
    assert (asked["batches"], asked["threads"], asked["models"]) == ([1, 8], None, ["yolox_pico"])


def test_it_is_json_and_a_plot(shell: Shell, asked: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot = tmp_path / "speed.png"
    words = ["benchmark", "yolox_pico", "--threads", "1,2", "--json", "--plot", str(plot)]
    answer = shell(*words)
    assert json.loads(answer.out)["rows"][0]["batch"] == 8
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert asked["threads"] == [1, 2]


@pytest.mark.parametrize(("rows", "code"), [(True, 1), (False, 13)])
def test_an_engine_that_could_not_run_is_named_with_its_reason(
    shell: Shell, asked: dict[str, Any], rows: bool, code: int
) -> None:
    error = ExportError(
        "The engine openvino can't run 'yolox_pico'.", "It differs.", "Choose another."
    )
    failure = NotTimed.of(Variant(model="yolox_pico", engine="openvino"), error)
    result: Benchmark = asked["result"]
    kept = result.rows if rows else ()
    asked["result"] = structs.replace(result, rows=kept, failures=(failure,))
    answer = shell("benchmark", "yolox_pico", "--engine", "torch,openvino")
    assert answer.code == code
    assert len(answer.out.splitlines()) == (6 if rows else 0)
    assert (
        "yolox_pico by openvino: The engine openvino can't run 'yolox_pico'. It differs. Ch"
        in answer.err
    )
    answer = shell("benchmark", "yolox_pico", "--engine", "torch,openvino", "--json")
    assert answer.code == code
    assert json.loads(answer.out)["failures"][0]["case"] == "It differs."


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--batch", "1,,8"], "--batch 1,,8 was given"),
        (["--threads", "two"], "--threads two was given"),
        (["--engine", "auto,"], "A name before or after a comma"),
        (["--plot", "speed.jpg"], "A plot is a PNG"),
    ],
)
def test_options_that_can_t_be_meant_are_refused(shell: Shell, words: list[str], says: str) -> None:
    answer = shell("benchmark", "yolox_pico", *words)
    assert answer.code == 2
    assert says in answer.err
    assert "Traceback" not in answer.err
