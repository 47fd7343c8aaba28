"""Models have their turns round by round; options that can't be meant are refused first."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

import pytest

import zoo
from tests.timing.conftest import CALLS, FACTS
from zoo.errors import ExportError, ImageError, UsageError
from zoo.timing.timed import Call, Facts, Variant


class Fake:
    """A worker that notes what it was told."""

    log: ClassVar[list[tuple[str, str | None, int]]] = []

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self.started: float | None = None

    def __enter__(self) -> Fake:
        return self

    def __exit__(self, *_: object) -> None:
        self.log.append(("end", self.variant.engine, 0))

    def load(self) -> None:
        self.started = 1.0

    def warm_up(self, batch: int, **_: object) -> bool:
        self.log.append(("warm", self.variant.engine, batch))
        return True

    def run(self, batch: int, **_: object) -> list[Call]:
        self.log.append(("run", self.variant.engine, batch))
        return CALLS[:2]

    def facts(self) -> Facts:
        return FACTS


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None, int]]:
    """What workers were told."""
    monkeypatch.setattr(sys.modules["zoo.timing.benchmark"], "Worker", Fake)
    Fake.log.clear()
    return Fake.log


def test_without_an_engine_an_exported_file_is_run_by_the_first_that_reads_it(
    log: list[tuple[str, str | None, int]],
) -> None:
    result = zoo.benchmark(["yolox_pico", "file:pico.onnx"], batches=1, rounds=1)
    assert [engine for what, engine, _ in log if what == "run"] == ["torch", "first"]
    assert [row.model for row in result.rows] == ["yolox_pico", "file:pico.onnx"]
    assert [row.requested for row in result.rows] == ["torch", FACTS.engine.partition(" ")[0]]


def test_an_engine_that_can_t_run_the_model_has_no_row_but_a_reason(
    log: list[tuple[str, str | None, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(worker: Fake) -> None:
        worker.started = 1.0
        if worker.variant.engine == "openvino":
            raise ExportError("It can't run.", "It differs.", "engine='torch'", fix_cli="--engine")

    monkeypatch.setattr(Fake, "load", load)
    result = zoo.benchmark("yolox_pico", engines=["torch", "openvino"], batches=1, rounds=2)
    assert [row.requested for row in result.rows] == ["torch"]
    assert [engine for what, engine, _ in log if what == "run"] == ["torch", "torch"]
    [failure] = result.to_json()["failures"]
    assert failure == {
        "model": "yolox_pico",
        "engine": "openvino",
        "threads": None,
        "failure": "It can't run.",
        "case": "It differs.",
        "fix": "--engine",
        "exit_code": 13,
    }
    with pytest.raises(ExportError, match="It differs"):
        zoo.benchmark("yolox_pico", engines="openvino")
    none = zoo.benchmark("yolox_pico", engines="openvino", threads=[1, 2])
    assert (none.rows, [each.threads for each in none.failures]) == ((), [1, 2])


def test_every_round_every_one_has_its_turn(log: list[tuple[str, str | None, int]]) -> None:
    result = zoo.benchmark("yolox_pico", engines=["torch", "auto"], batches=[1, 4], rounds=2)
    runs = [(engine, batch) for what, engine, batch in log if what == "run"]
    assert runs == [
        *[("torch", 1), ("torch", 4), ("auto", 1), ("auto", 4)],
        *[("auto", 1), ("auto", 4), ("torch", 1), ("torch", 4)],
    ]
    assert [(row.requested, row.batch, row.calls) for row in result.rows] == [
        *[("torch", 1, 4), ("torch", 4, 4), ("auto", 1, 4), ("auto", 4, 4)],
    ]
    assert result.rows[0].start_s == 1.0
    assert [engine for what, engine, _ in log if what == "end"] == ["auto", "torch"]
    assert result.hardware
    assert result.software["torch"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"batches": [0]}, r"batches=0 can't be used"),
        ({"batches": True}, r"batches=True"),
        ({"threads": "two"}, r"threads='two'"),
        ({"rounds": 0}, r"rounds=0"),
        ({"seconds": -1}, r"seconds=-1"),
        ({"engines": []}, r"No model or no engine"),
        ({"engines": ["auto", "auto"]}, r"timed twice"),
        ({"images": ["a.png"], "data": "coco:x"}, r"images and data were given"),
    ],
)
def test_options_that_can_t_be_meant_are_refused(
    options: dict[str, Any], says: str, log: list[object], tmp_path: Any
) -> None:
    if "images" in options:
        (tmp_path / "a.png").touch()
        options = {**options, "images": [str(tmp_path / "a.png")]}
    with pytest.raises(UsageError, match=says) as raised:
        zoo.benchmark("yolox_pico", **options)
    assert raised.value.case
    assert raised.value.fix_cli
    assert log == []


def test_images_that_are_not_there_are_named(log: list[object], tmp_path: Any) -> None:
    with pytest.raises(ImageError):
        zoo.benchmark("yolox_pico", images=str(tmp_path / "none"))
    assert log == []
