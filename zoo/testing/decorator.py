"""`@conformance("name")`: the kit as ordinary parametrised tests, one a check, in a plugin's own suite."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from zoo.testing.checklist import Check, chosen
from zoo.testing.model import Model
from zoo.testing.verdict import NotApplicable

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
    """Runs every check, or those that `only` names, on one model; the test function takes `check` and calls it.

        @conformance("blob", expected_failures={"deterministic": "Its sampling is random."})
        def test_conformance(check):
            check()

    arguments, input: changes of its card, as for `Model.named`: a small network is checked in a fraction of the time.
    expected_failures: check -> reason. They are strict: one that passes after all fails the test.

    Raises:
        NameNotFound: no check has that name. That of the model is looked up when the first test runs.
    """
    import pytest  # deferred: it is for tests only

    expected = dict(expected_failures or {})
    chosen(expected)
    find = _once(model, arguments, input)
    cases = [
        pytest.param(
            _case(check, find),
            id=f"{model if isinstance(model, str) else model.name}-{check.name}",
            marks=[pytest.mark.xfail(strict=True, reason=expected[check.name])] if check.name in expected else [],
        )
        for check in chosen(only)
    ]
    return pytest.mark.parametrize("check", cases)


def _once(model: str | Model, arguments: Mapping[str, Any] | None, input: Mapping[str, object] | None) -> Callable[[], Model]:
    """The model, looked up when it is first wanted and then shared by its checks."""
    return cache(lambda: Model.named(model, arguments=arguments, input=input) if isinstance(model, str) else model)


def _case(check: Check, find: Callable[[], Model]) -> Callable[[], None]:
    def ask() -> None:
        import pytest

        try:
            check(find())
        except NotApplicable as why:
            pytest.skip(str(why))

    ask.__doc__ = check.promise
    return ask
