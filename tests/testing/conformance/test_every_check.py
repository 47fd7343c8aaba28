"""Every check has a detector that fails it, and none blames a detector for what it does right."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.testing.conformance.broken_promises import CARD, failing
from tests.testing.conformance.faulty_preprocess import preprocessing
from tests.testing.conformance.faulty_toys import SPACE
from zoo.labels import LabelSpace
from zoo.testing import CHECKS, Model, Toy, run

MIRRORS = [
    import_module(f"tests.testing.conformance.checks.{path.stem}")
    for path in sorted((Path(__file__).parent / "checks").glob("test_*.py"))
]
VARIANTS: dict[str, tuple[str, type[Toy]]] = {
    name: variant for module in MIRRORS for name, variant in getattr(module, "VARIANTS", {}).items()
}


def test_a_detector_that_keeps_every_promise_passes() -> None:
    assert failing(CARD) == {}


@pytest.mark.parametrize("own", [0.5, 0.6, 0.65, 0.7, 0.8, 0.9])
def test_no_iou_of_its_own_is_blamed_on_a_detector_whose_boxes_never_overlap_by_more(
    own: float,
) -> None:
    class Tolerant(Toy):
        def __init__(self, label_space: LabelSpace) -> None:
            super().__init__(label_space)
            self.defaults = replace(self.defaults, iou=own)

    [outcome] = run(Model("toy", Tolerant, SPACE), only=["iou_is_the_callers"])
    assert outcome.status in ("passed", "skipped"), outcome.reason


def test_what_a_toy_does_right_none_of_these_checks_minds() -> None:
    checks = sorted({check for check, _ in VARIANTS.values()})
    assert [
        one.reason for one in run(Model("toy", Toy, SPACE), only=checks) if one.status != "passed"
    ] == []


def test_every_check_has_a_detector_that_fails_it() -> None:
    """But for some: a second device, an installed plugin, trained weights (test_expects.py), two
    maps (test_background.py)."""
    broken = {check for module in MIRRORS for check in getattr(module, "BROKEN", ())}
    assert set(CHECKS) - broken - {check for check, _ in VARIANTS.values()} == {
        "other_device",
        "background_is_unlearnt_everywhere",
        "registering_imports_no_torch",
        "expected_detections",
        "claim_reached",
    }


@pytest.mark.parametrize("step", ["__init__", "preprocess", "forward", "decode", "loss"])
def test_a_detector_that_ends_the_process_fails_a_check_and_ends_nothing(step: str) -> None:
    def leave(*_: Any) -> None:
        sys.exit(0)

    leaving = (
        preprocessing(leave) if step == "preprocess" else type("Leaving", (Toy,), {step: leave})
    )
    [outcome] = run(
        Model("toy", leaving, SPACE),
        only=["loss_is_finite" if step == "loss" else "sees_something"],
    )
    assert (outcome.status, outcome.ended) == ("failed", True)
    assert outcome.reason == "Its code called sys.exit(0), which ends whatever uses it."
