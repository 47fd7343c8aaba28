"""The kit on one model: what passes, fails, is skipped and was expected to fail."""

from __future__ import annotations

import pytest
import torch

from zoo.errors import NameNotFound
from zoo.testing import Model, Toy, conformance, run
from zoo.testing.conformance.runner import failures


@pytest.fixture
def toy() -> Model:
    return Model.built_by(Toy, labels=["red", "green", "blue"])


class Random(Toy):
    """Never sees the same twice."""

    def forward(self, batch, targets=None):
        return super().forward(batch, targets) * torch.rand(())


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
    with pytest.raises(NameNotFound, match="It does not run: only best_first"):
        list(run(toy, only=["best_first"], expected_failures=expected))
    with pytest.raises(NameNotFound, match="It does not run: only best_first"):
        conformance(toy, only=["best_first"], expected_failures=expected)


def test_what_a_detector_raises_is_a_failure(toy: Model) -> None:
    def broken(label_space):
        raise RuntimeError("no\nmemory")

    outcomes = list(
        run(Model("broken", broken, toy.label_space), only=["best_first", "deterministic"])
    )
    assert [one.reason for one in outcomes] == ["RuntimeError: no memory"] * 2


def test_what_failed_is_listed_a_line_each(toy: Model) -> None:
    outcomes = list(run(Model.built_by(Random, labels=["a"]), only=["deterministic", "best_first"]))
    assert failures(outcomes).startswith("deterministic: Two runs on one image give")
    assert len(failures(outcomes).splitlines()) == 1
    assert failures(list(run(toy, only=["best_first"]))) == ""


def test_a_detector_that_leaves_ends_only_its_check(toy: Model) -> None:
    def leaving(label_space):
        raise SystemExit(3)

    [outcome] = run(Model("leaving", leaving, toy.label_space), only=["best_first"])
    assert (outcome.status, outcome.ended) == ("failed", True)
    assert "sys.exit(3)" in outcome.reason
