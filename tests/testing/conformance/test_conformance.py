"""The kit as a plugin's author uses it: a decorator, a run, a model by name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch

from zoo.errors import NameNotFound
from zoo.testing import CHECKS, ConformanceError, Model, NotApplicable, Toy, conformance, run
from zoo.testing.conformance.checks import (
    check_best_first,
    check_card_has_a_licence,
    check_deterministic,
)

SMALL: dict[str, Any] = {"arguments": {"size": 32}, "input": {"size": [32, 32]}}


@conformance("yolox_nano", **SMALL)
def test_yolox_nano_keeps_every_promise(check: Callable[[], None]) -> None:
    check()


@pytest.fixture
def toy() -> Model:
    return Model.built_by(Toy, labels=["red", "green", "blue"])


class Random(Toy):
    """Never sees the same twice."""

    def forward(self, batch, targets=None):
        return super().forward(batch, targets) * torch.rand(())


def test_a_check_can_be_used_alone(toy: Model) -> None:
    check_best_first(toy.build())
    with pytest.raises(ConformanceError, match="Two runs on one image give"):
        check_deterministic(Random(toy.label_space).eval())


def test_what_is_not_applicable_says_so(toy: Model) -> None:
    with pytest.raises(NotApplicable, match="no card"):
        check_card_has_a_licence(toy)
    [outcome] = run(toy, only=["card_has_a_licence"])
    assert (outcome.status, outcome.reason) == ("skipped", "It has no card.")


def test_there_are_many_checks_and_each_has_a_sentence() -> None:
    assert len(CHECKS) >= 25
    assert all(check.promise.endswith(".") for check in CHECKS.values())


def test_a_check_that_is_none_is_named() -> None:
    with pytest.raises(NameNotFound, match="best_frist"):
        list(run("yolox_nano", only=["best_frist"]))
    with pytest.raises(NameNotFound, match="determinstic"):
        conformance("yolox_nano", expected_failures={"determinstic": "…"})


def test_importing_the_kits_names_imports_no_torch() -> None:
    code = "import sys, zoo.testing; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
