"""All checks by name, with the sentence that each holds a detector to."""

import pytest

from zoo.errors import NameNotFound
from zoo.testing import Model, Toy
from zoo.testing.conformance.checklist import CHECKS, GROUPS, Check, select_checks


def test_every_check_of_every_group_is_on_the_list() -> None:
    functions = {
        name
        for module in GROUPS
        for name, value in vars(module).items()
        if name.startswith("check_") and callable(value)
    }
    assert {f"check_{name}" for name in CHECKS} == functions
    assert {check.group for check in CHECKS.values()} == {
        module.__name__.rpartition(".")[2] for module in GROUPS
    }


def test_a_promise_is_one_sentence_on_one_line() -> None:
    for check in CHECKS.values():
        assert check.promise.endswith("."), check.name
        assert "\n" not in check.promise


def test_checks_are_chosen_in_their_own_order() -> None:
    names = list(CHECKS)
    assert [check.name for check in select_checks([names[3], names[1]])] == [names[1], names[3]]
    assert len(select_checks([])) == len(CHECKS)


def test_a_name_that_is_no_check_is_told_the_nearest() -> None:
    with pytest.raises(NameNotFound, match="Did you mean 'deterministic'"):
        select_checks(["determinstic"])


def test_a_check_is_given_the_model_or_its_detector() -> None:
    given: list[object] = []

    def of_model(model: Model) -> None:
        given.append(model)

    def of_detector(detector: Toy) -> None:
        given.append(detector)

    model = Model.built_by(Toy, labels=["red"])
    for function in (of_model, of_detector):
        Check("a", "A.", "own", function)(model)
    assert given[0] is model
    assert given[1] is model.detector
