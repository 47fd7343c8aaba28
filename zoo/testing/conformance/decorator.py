"""`@conformance("name")`: the kit as ordinary parametrised tests, one a check, in a plugin's own
suite."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from zoo.testing.conformance.checklist import Check, chosen
from zoo.testing.conformance.errors import NotApplicable, NotHere
from zoo.testing.conformance.model import Model
from zoo.testing.conformance.runner import asked_for, kept, never_asked

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
    """Runs every check, or those that `only` names, on one model; the test function takes `check`
    and calls it.

        @conformance("blob", expected_failures={"deterministic": "Its sampling is random."})
        def test_conformance(check):
            check()

    arguments, input: changes of its card, as for `Model.named`: a small network is checked in a
        fraction of the time.
    expected_failures: check -> reason. They are strict: a check that passes after all, or is not
            applicable to the model, fails the test.

    Raises:
        NameNotFound: no check has that name, or one that is expected to fail is not among those
            that `only` names. The name of the model is looked up when the first test runs.
    """
    import pytest  # deferred: it is for tests only

    expected = asked_for(expected_failures or {}, only)
    find = _once(model, arguments, input)
    cases = [
        pytest.param(
            _case(check, find, expected.get(check.name)),
            id=f"{model if isinstance(model, str) else model.name}-{check.name}",
        )
        for check in chosen(only)
    ]
    return pytest.mark.parametrize("check", cases)


def _once(
    model: str | Model, arguments: Mapping[str, Any] | None, input: Mapping[str, object] | None
) -> Callable[[], Model]:
    """The model, looked up when it is first wanted and then shared by its checks."""
    return cache(
        lambda: (
            Model.named(model, arguments=arguments, input=input)
            if isinstance(model, str)
            else model
        )
    )


def _case(check: Check, find: Callable[[], Model], expected: str | None) -> Callable[[], None]:
    def ask() -> None:
        import pytest

        model = find()
        try:
            check(model)
        except NotHere as error:
            pytest.skip(str(error))
        except NotApplicable as error:
            pytest.skip(str(error)) if expected is None else pytest.fail(never_asked(error))
        except (Exception, SystemExit):
            if expected is None:
                raise
            pytest.xfail(expected)
        else:
            if expected is not None:
                pytest.fail(kept(expected))

    ask.__doc__ = check.promise
    return ask
