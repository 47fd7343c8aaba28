"""The kit as a plugin's author uses it: a decorator, a run, a model by name."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import torch

from zoo.detectors import Detector
from zoo.errors import CardError, NameNotFound
from zoo.testing import CHECKS, ConformanceError, Model, NotApplicable, Toy, conformance, run
from zoo.testing.conformance.checks import (
    check_best_first,
    check_card_has_a_licence,
    check_deterministic,
)
from zoo.testing.conformance.images import detect, scene
from zoo.testing.conformance.lsuv import lsuv

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
    with pytest.raises(ConformanceError, match="A second look gives"):
        check_deterministic(Random(toy.label_space).eval())


def test_what_is_not_applicable_says_so(toy: Model) -> None:
    with pytest.raises(NotApplicable, match="no card"):
        check_card_has_a_licence(toy)
    [outcome] = run(toy, only=["card_has_a_licence"])
    assert (outcome.status, outcome.reason) == ("skipped", "It has no card.")


def test_there_are_many_checks_and_each_has_a_sentence() -> None:
    assert len(CHECKS) >= 25
    assert all(check.promise.endswith(".") for check in CHECKS.values())


def test_parameters_are_counted_with_the_cards_own_arguments_whatever_size_is_checked() -> None:
    [outcome] = run(
        Model.named("yolox_nano", arguments={"width": 0.125}), only=["card_counts_parameters"]
    )
    assert (outcome.status, outcome.reason) == ("passed", "")


def test_an_expected_failure_is_none() -> None:
    model = Model.built_by(Random, labels=["a"])
    [outcome] = run(
        model, only=["deterministic"], expected_failures={"deterministic": "It rolls a die."}
    )
    assert (outcome.status, outcome.reason) == ("expected", "It rolls a die.")


def test_a_failure_that_was_expected_and_does_not_come_is_one(toy: Model) -> None:
    [outcome] = run(
        toy, only=["deterministic"], expected_failures={"deterministic": "It rolls a die."}
    )
    assert outcome.status == "failed"
    assert "was expected to fail: It rolls a die." in outcome.reason


def test_an_expected_failure_of_what_is_not_applicable_is_one(toy: Model) -> None:
    [outcome] = run(
        toy, only=["card_has_a_licence"], expected_failures={"card_has_a_licence": "It has none."}
    )
    assert outcome.status == "failed"
    assert outcome.reason == (
        "It was expected to fail, and is not applicable: It has no card. Take it off the expected "
        "failures."
    )


def test_what_this_machine_can_not_ask_may_be_expected_to_fail(
    toy: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    [outcome] = run(
        toy,
        only=["other_device"],
        expected_failures={"other_device": "Its kernels are for the CPU."},
    )
    assert outcome.status == "skipped"


def test_an_expected_failure_that_is_not_asked_is_refused(toy: Model) -> None:
    expected = {"deterministic": "It rolls a die."}
    with pytest.raises(NameNotFound, match="It is not asked: only best_first"):
        list(run(toy, only=["best_first"], expected_failures=expected))
    with pytest.raises(NameNotFound, match="It is not asked: only best_first"):
        conformance(toy, only=["best_first"], expected_failures=expected)


def test_what_a_detector_raises_is_a_failure(toy: Model) -> None:
    def broken(label_space):
        raise RuntimeError("no\nmemory")

    outcomes = list(
        run(Model("broken", broken, toy.label_space), only=["best_first", "deterministic"])
    )
    assert [one.reason for one in outcomes] == ["RuntimeError: no memory"] * 2


def test_a_check_that_is_none_is_named() -> None:
    with pytest.raises(NameNotFound, match="best_frist"):
        list(run("yolox_nano", only=["best_frist"]))
    with pytest.raises(NameNotFound, match="determinstic"):
        conformance("yolox_nano", expected_failures={"determinstic": "…"})


def test_a_model_that_is_none_is_named_by_the_first_test_and_not_before() -> None:
    mark = conformance("no_such_model", only=["best_first"])
    [case] = mark.args[1]
    with pytest.raises(NameNotFound, match="no_such_model"):
        case.values[0]()


def test_an_input_that_is_none_is_refused() -> None:
    with pytest.raises(CardError, match="sizes"):
        Model.named("yolox_nano", input={"sizes": [32, 32]})


def test_the_decorators_tests_pass_fail_and_are_expected_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_it.py").write_text(
        dedent("""
        import torch
        from zoo.testing import Model, Toy, conformance


        class Random(Toy):
            def forward(self, batch, targets=None):
                return super().forward(batch, targets) * torch.rand(())


        RANDOM = Model.built_by(Random, labels=["a"])
        REASON = {"deterministic": "It rolls a die."}


        @conformance(RANDOM, only=["deterministic", "best_first", "card_has_a_licence"])
        def test_plain(check):
            check()


        @conformance(RANDOM, only=["deterministic"], expected_failures=REASON)
        def test_expected(check):
            check()


        @conformance(RANDOM, only=["best_first"], expected_failures={"best_first": "It never was."})
        def test_strict(check):
            check()


        @conformance(RANDOM, only=["card_has_a_licence"], expected_failures={"card_has_a_licence": "It has none."})
        def test_never_asked(check):
            check()
        """)
    )
    plain = [
        "-q",
        "-rA",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        str(tmp_path),
    ]
    pytest.main([*plain, str(tmp_path / "test_it.py")])
    said = capsys.readouterr().out
    assert "3 failed, 1 passed, 1 skipped, 1 xfailed" in said
    assert "test_it.py::test_plain[Random-deterministic]" in said
    assert "test_it.py::test_expected[Random-deterministic] - It rolls a die." in said
    assert "test_it.py::test_strict[Random-best_first]" in said
    assert "It has no card." in said
    assert "It was expected to fail, and is not applicable: It has no card." in said


def test_importing_the_kits_names_imports_no_torch() -> None:
    code = "import sys, zoo.testing; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_lively_weights_see_another_thing_in_another_picture() -> None:
    torch.manual_seed(0)
    model = Model.named("yolox_nano", **SMALL)
    dull = model.build()
    assert apart(dull) < 1e-3
    assert apart(lsuv(dull)) > 0.1


def apart(detector: Detector) -> float:
    """How much more it believes of one image than of another, as a logarithm."""
    one, other = (float(detect(detector, scene(seed=seed)).scores.max()) for seed in (1, 2))
    return abs(math.log(one / other))


def test_a_lively_detector_keeps_its_biases_and_types() -> None:
    detector = Model.named("yolox_nano", **SMALL).build()
    bias = detector.head.cls_preds[0].bias.clone()
    lsuv(detector)
    assert torch.equal(detector.head.cls_preds[0].bias, bias)
    assert isinstance(detector.head.cls_preds[0].bias, torch.nn.Parameter)
