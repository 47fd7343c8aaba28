"""An engine that does not compute what torch does is found, and an honest one is not blamed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import pytest
from torch import Tensor

import zoo
from zoo.contract import Thresholds
from zoo.detections import Detections
from zoo.detectors import Detector
from zoo.detectors.detector import BasePredictor
from zoo.testing import CHECKS, ConformanceError, Model, NotApplicable, run
from zoo.testing.conformance.checks import (
    check_engine_agrees_with_torch,
    check_engine_closes,
    check_engine_says_what_it_is,
    check_engine_serves_threads,
    check_engine_takes_any_batch,
)

ENGINES = [check.name for check in CHECKS.values() if check.group == "engines"]
BROKEN = ENGINES


@pytest.fixture(scope="module")
def pico() -> Detector:
    return zoo.load("yolox_pico")


class Acme(BasePredictor):
    """An engine that lets torch do the work; those below break one promise each."""

    engine, version = "acme", "1.0"
    kept: ClassVar[list[object]] = []

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self.name, self.label_space = detector.name, detector.label_space
        self.defaults, self.preprocess = detector.defaults, detector.preprocess
        self.weights = detector.weights

    @property
    def device(self) -> Any:
        return self.detector.device

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        return self.detector.input_size(height, width)

    def predict(self, images: Sequence[Tensor], thresholds: Thresholds) -> list[Detections]:
        return self.detector.predict(images, thresholds)

    def release(self) -> None: ...


class Shifted(Acme):
    def predict(self, images: Sequence[Tensor], thresholds: Thresholds) -> list[Detections]:
        found = super().predict(images, thresholds)
        return [replace(each, boxes=(each.boxes - 2).clamp_min(0)) for each in found]


class First(Acme):
    """The batch is fixed at one, and nobody says so."""

    def predict(self, images: Sequence[Tensor], thresholds: Thresholds) -> list[Detections]:
        return super().predict(images[:1], thresholds) * len(images)


class Shared(Acme):
    """Threads write into the same memory."""

    def predict(self, images: Sequence[Tensor], thresholds: Thresholds) -> list[Detections]:
        self.last = images
        time.sleep(0.02)
        return super().predict(self.last, thresholds)


class Nameless(Acme):
    version = ""


class Held(Acme):
    def __init__(self, detector: Detector) -> None:
        super().__init__(detector)
        self.kept.append(self)


def model(detector: Detector, kind: Callable[[Detector], BasePredictor]) -> Model:
    named = Model.named("yolox_pico", weights="shapes")
    return replace(named, load=lambda: detector, engine=partial(kind, detector))


def test_an_engine_that_keeps_every_promise_passes(pico: Detector) -> None:
    outcomes = list(run(model(pico, Acme), only=ENGINES))
    assert [each.reason for each in outcomes if each.status != "passed"] == []


@pytest.mark.parametrize(
    ("kind", "check", "said"),
    [
        (Shifted, check_engine_agrees_with_torch, "pixels it finds what torch does not: '"),
        (First, check_engine_takes_any_batch, "In image 1 of 2 at once it finds what it does not"),
        (Shared, check_engine_serves_threads, "With other threads"),
        (Nameless, check_engine_says_what_it_is, "does not say its version"),
        (Held, check_engine_closes, "memory is not freed"),
    ],
)
def test_a_broken_promise_is_said(
    pico: Detector, kind: type[Acme], check: Callable[[Model], None], said: str
) -> None:
    with pytest.raises(ConformanceError, match=said):
        check(model(pico, kind))


class Blind(Acme):
    def predict(self, images: Sequence[Tensor], thresholds: Thresholds) -> list[Detections]:
        return super().predict(images, replace(thresholds, score=1.0))


def test_an_engine_of_a_model_that_is_unsure_of_everything_is_compared_all_the_same() -> None:
    unsure = zoo.load("yolox_pico", weights=False)
    with pytest.raises(ConformanceError, match="does not find what torch does"):
        check_engine_agrees_with_torch(model(unsure, Blind))
    check_engine_agrees_with_torch(model(unsure, Acme))


def test_where_torch_finds_nothing_at_all_nothing_is_said_to_agree(pico: Detector) -> None:
    empty = replace(model(pico, Acme), load=lambda: Blind(pico))
    with pytest.raises(NotApplicable, match="detects nothing in the scenes"):
        check_engine_agrees_with_torch(empty)


def test_without_an_engine_there_is_nothing_to_check() -> None:
    with pytest.raises(NotApplicable, match="zoo check NAME --engine"):
        check_engine_closes(Model.named("yolox_pico"))
