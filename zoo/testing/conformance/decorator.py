"""`@conformance("name")`: the checks as ordinary parametrised tests in a plugin's own suite."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from zoo.testing.conformance.checklist import Check, select_checks
from zoo.testing.conformance.model import Model
from zoo.testing.conformance.runner import expected_reasons, judge

if TYPE_CHECKING:
    import pytest


def conformance(
    model: str | Model,
    *,
    arguments: Mapping[str, Any] | None = None,
    input: Mapping[str, object] | None = None,
    only: Collection[str] = (),
    expected_failures: Mapping[str, str] | None = None,
) -> pytest.MarkDecorator:
    """Parametrises a test function with every check of a model, or those that `only` names; the
    function takes `check` and calls it.

        @conformance("blob", expected_failures={"deterministic": "Its sampling is random."})
        def test_conformance(check):
            check()

    arguments, input: changes of its card, as for `Model.named`; a small network is checked in a
        fraction of the time.
    expected_failures: check -> reason. A check that passes although it is listed, or is not
            applicable to the model, fails its test.

    Raises:
        NameNotFound: no check has that name, or an expected failure is not among the checks of
            `only`. The name of the model is looked up when the first test runs.
    """
    import pytest  # deferred: it is for tests only

    expected = expected_reasons(expected_failures or {}, only)
    find = _once(model, arguments, input)
    cases = [
        pytest.param(
            _case(check, find, expected.get(check.name)),
            id=f"{model if isinstance(model, str) else model.name}-{check.name}",
        )
        for check in select_checks(only)
    ]
    return pytest.mark.parametrize("check", cases)


def _once(
    model: str | Model, arguments: Mapping[str, Any] | None, input: Mapping[str, object] | None
) -> Callable[[], Model]:
    """A function that looks the model up on its first call, so that all checks share one."""
    return cache(
        lambda: (
            Model.named(model, arguments=arguments, input=input)
            if isinstance(model, str)
            else model
        )
    )


def _case(check: Check, find: Callable[[], Model], expected: str | None) -> Callable[[], None]:
    def run() -> None:
        import pytest

        verdict = judge(check, find(), expected)
        if verdict.status == "skipped":
            pytest.skip(verdict.reason)
        if verdict.status == "expected":
            pytest.xfail(verdict.reason)
        if verdict.status == "failed":
            if verdict.error is not None and expected is None:
                raise verdict.error
            pytest.fail(verdict.reason)

    run.__doc__ = check.promise
    return run
