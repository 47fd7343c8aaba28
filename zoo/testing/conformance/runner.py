"""Runs the conformance checks on one model, and reports the outcome of each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Literal, NamedTuple

from zoo.errors import ContractError, NameNotFound, made_of
from zoo.testing.conformance.checklist import Check, select_checks
from zoo.testing.conformance.errors import NotApplicable, NotHere
from zoo.testing.conformance.model import Model

Status = Literal["passed", "failed", "skipped", "expected"]
STRICT = "Take it off the expected failures."


@dataclass(frozen=True)
class Outcome:
    """The outcome of one check.

    status: `passed`; `failed`, also if an expected failure passes or is not applicable;
            `skipped`, not applicable; `expected`, failed as expected.
    reason: why, in a sentence; empty if it passed.
    ended:  whether it failed because the model's code called `sys.exit`, or can't be built.
    """

    check: str
    status: Status
    reason: str
    seconds: float
    ended: bool = False


def run(
    model: Model | str,
    *,
    only: Collection[str] = (),
    expected_failures: Mapping[str, str] | None = None,
) -> Iterator[Outcome]:
    """The outcome of each check, as soon as it is known.

    only: names of the checks to run; all if empty.
    expected_failures: check -> why it may fail.

    Raises:
        NameNotFound: no model or check has that name, or an expected failure is not among the
            checks of `only`.
    """
    expected = expected_reasons(expected_failures or {}, only)
    subject = Model.named(model) if isinstance(model, str) else model
    for check in select_checks(only):
        yield _outcome(check, subject, expected.get(check.name))


def failures(outcomes: Collection[Outcome]) -> str:
    """The failed checks with their reasons, one per line."""
    return "\n".join(
        f"{outcome.check}: {outcome.reason}" for outcome in outcomes if outcome.status == "failed"
    )


def expected_reasons(expected: Mapping[str, str], only: Collection[str]) -> dict[str, str]:
    """Reason by check.

    Raises: NameNotFound if no check has that name, or it is not among those of `only`.
    """
    names = {check.name for check in select_checks(only)}
    for check in select_checks(expected) if expected else ():
        if check.name not in names:
            raise NameNotFound(
                f"The check '{check.name}' was expected to fail.",
                f"It does not run: only {', '.join(sorted(names))}.",
                "Add it to only, or take it off the expected failures.",
            )
    return dict(expected)


class Verdict(NamedTuple):
    """Status and reason of a check, and the error that it raised, if any."""

    status: Status
    reason: str
    error: BaseException | None


def judge(check: Check, model: Model, expected: str | None) -> Verdict:
    """Runs one check.

    expected: why it may fail; None if it has to pass.
    """
    error = _error_of(check, model)
    return Verdict(*_status(error, expected), error)


def _outcome(check: Check, model: Model, expected: str | None) -> Outcome:
    begin = perf_counter()
    status, reason, error = judge(check, model, expected)
    is_fatal = status == "failed" and error is not None and _is_fatal(error, model)
    return Outcome(check.name, status, reason, perf_counter() - begin, is_fatal)


def _error_of(check: Check, model: Model) -> BaseException | None:
    try:
        check(model)
    except (Exception, SystemExit) as error:  # a plugin may raise anything
        return error
    return None


def _status(error: BaseException | None, expected: str | None) -> tuple[Status, str]:
    """Status and reason of a check that raised that error, or none."""
    if isinstance(error, NotHere):
        return "skipped", str(error)
    if isinstance(error, NotApplicable):
        if expected is None:
            return "skipped", str(error)
        return "failed", f"It was expected to fail, and is not applicable: {error} {STRICT}"
    if error is not None:
        return ("failed", _reason(error)) if expected is None else ("expected", expected)
    if expected is None:
        return "passed", ""
    return "failed", f"It passed, and was expected to fail: {expected} {STRICT}"


def _is_fatal(error: BaseException, model: Model) -> bool:
    """Whether an error is a `sys.exit`, was caused by one, or the model can't even be built."""
    if isinstance(error, NotApplicable):
        return False
    if any(isinstance(cause, SystemExit) for cause in made_of(error)):
        return True
    return isinstance(error, ContractError) and isinstance(model.defect(), ContractError)


def _reason(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"Its code called sys.exit({error.code!r:.40}), which ends whatever uses it."
    if isinstance(error, AssertionError):
        return str(error) or "An assertion failed."
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
