"""INT8 within a budget of AP: layers go back to float32 until it is kept, and no file is written
that is not worth it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

import zoo
from zoo.detectors import Detector
from zoo.engines import Accuracy, Exported, Int8, Quantized, int8
from zoo.engines.card import choice_of
from zoo.engines.draft import Candidate, Draft
from zoo.engines.int8 import check_worth, quantize, split
from zoo.engines.latency import Speed
from zoo.engines.quantizer import Layer
from zoo.errors import ExportError, UsageError
from zoo.registry.exported import read_facts

LAYERS = [Layer(f"layer {number}", ()) for number in range(40)]
FASTER = Speed(before=10, after=7, ratio=0.7, low=0.65, high=0.75)
SLOWER = Speed(before=10, after=12, ratio=1.2, low=1.1, high=1.3)


class Quantizing:
    """The work on 40 layers, of which each costs something; it counts what is measured."""

    layers = LAYERS

    def __init__(self, loss_of: Callable[[int], float]) -> None:
        self.loss_of = loss_of

    def write(self, to: Path, layers: list[Layer]) -> Path:
        to.write_text(str(len(LAYERS) - len(layers)))
        return to


def measured(lost: float) -> Accuracy:
    return Accuracy("scenes", 30, 0.5, 0.5 - lost / 100, -lost / 100, 0, 0.5)


@pytest.fixture
def within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    def search(loss_of: Callable[[int], float], budget: float):  # type: ignore[no-untyped-def]
        monkeypatch.setattr(int8, "report", lambda engine, _: engine)
        monkeypatch.setattr(int8, "accuracy", lambda _, after: measured(loss_of(after)))
        draft = SimpleNamespace(choice=SimpleNamespace(name="yolox_pico"))
        work = int8.Work(draft, None, tmp_path, Quantizing(loss_of), None, None, None)  # type: ignore[arg-type]
        monkeypatch.setattr(work, "engine", lambda file: int(file.read_text()))
        return work.within(LAYERS, budget)

    return search


@pytest.mark.parametrize("needed", [0, 1, 3, 7, 16, 30, 38, 39])
def test_as_few_layers_as_needed_go_back_to_float32(within, needed: int) -> None:  # type: ignore[no-untyped-def]
    tried, count, result = within(lambda floating: 5.0 if floating < needed else 0.2, 0.5)
    assert needed <= count <= max(needed + 1, 1.2 * needed)
    assert result.lost == pytest.approx(0.2)
    assert len(tried) <= 12
    assert {variant.floating for variant in tried} >= {0, count}


def test_what_always_loses_too_much_is_refused(within) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ExportError, match=r"(?s)yolox_pico.*within 0\.5 points.*loses 2\.00"):
        within(lambda _: 2.0, 0.5)


def test_a_file_says_what_it_gains_and_loses(
    pico: Detector, pico_onnx: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8, "rank_layers", lambda layers, *_, **__: list(layers))
    monkeypatch.setattr(int8, "compare_speed", lambda *_: FASTER)
    made = Candidate(pico_onnx.path, read_facts(pico_onnx.path), pico_onnx.parity, ())
    draft = Draft(
        detector=pico, choice=choice_of(pico), format="onnx", images=(), say=lambda _: None
    )
    wanted = Int8("shapes:val,count=8", budget=25.0)
    lighter, outcome = quantize(draft, made, tmp_path, wanted, None, show=False)
    facts = read_facts(lighter.file)
    assert facts.precision == "int8"
    assert lighter.accuracy is not None
    assert facts.measured["after"] == lighter.accuracy.after
    assert lighter.accuracy.lost <= 25
    assert facts.measured["int8"]["layers"] == outcome.layers > len(outcome.floating)
    assert lighter.file.stat().st_size < 0.6 * made.file.stat().st_size


def test_a_file_that_is_not_faster_is_refused_unless_its_size_is_wanted() -> None:
    outcome = Quantized(40, ("a", "b"), 32, 0.5, SLOWER, ())
    check_worth("pico", replace(outcome, speed=FASTER), measured(0.3), Int8("coco:x"))
    check_worth("pico", outcome, measured(0.3), Int8("coco:x", even_if_slower=True))
    with pytest.raises(ExportError, match=r"(?s)faster than float32.*1\.20 times as long") as error:
        check_worth("pico", outcome, measured(0.3), Int8("coco:x"))
    assert "With 2 of 40 layers in float32" in str(error.value)


@pytest.mark.slow
def test_a_detector_is_quantised_within_its_budget(pico: Detector, tmp_path: Path) -> None:
    wanted = Int8("shapes:val,count=32", budget=1.0, even_if_slower=True)
    exported = zoo.export(pico, to=tmp_path / "x.onnx", exporter="legacy", int8=wanted)
    assert exported.accuracy is not None
    assert exported.accuracy.lost <= 1
    assert exported.int8 is not None
    assert exported.bytes < exported.float32_bytes
    model = zoo.load(f"file:{exported.path}")
    report = zoo.evaluate(model, data=split(zoo.data.read("shapes:val,count=32"), None)[1])
    assert report.ap == pytest.approx(exported.accuracy.after)
    assert (report.provenance or {})["engine"].endswith(", int8")


def test_a_quarter_calibrates_and_the_others_measure() -> None:
    data = zoo.data.read("shapes:val,count=40")
    images, held = split(data, None)
    assert len(images) + len(held) == 40
    assert 4 <= len(images) <= 16
    assert not set(images.truth.image_ids.tolist()) & set(held.truth.image_ids.tolist())


def test_images_are_not_calibrated_on_and_measured() -> None:
    data = zoo.data.read("shapes:val,count=4")
    with pytest.raises(UsageError, match="calibrated on the same images"):
        split(data, data)
    with pytest.raises(UsageError, match="some are needed to calibrate on"):
        split(data.subset([0]), None)


@pytest.mark.parametrize("budget", [-0.1, float("nan"), 101])
def test_a_budget_is_points_of_ap(budget: float) -> None:
    with pytest.raises(UsageError, match="from 0 to 100"):
        Int8("shapes:val", budget=budget)


@pytest.mark.parametrize(
    ("to", "options", "message"),
    [
        ("x.onnx", {"half": True}, "Leave out one of the two"),
        ("x.pt2", {}, r"ends in \.onnx"),
    ],
)
def test_what_can_t_be_is_said_first(
    pico: Detector, tmp_path: Path, to: str, options: dict[str, bool], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        zoo.export(pico, to=tmp_path / to, int8=Int8("shapes:val"), **options)  # type: ignore[arg-type]
