"""The kit on one model: every check in turn, and what came of each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

from zoo.errors import ContractError, NameNotFound, made_of
from zoo.testing.conformance.checklist import Check, chosen
from zoo.testing.conformance.errors import NotApplicable, NotHere
from zoo.testing.conformance.model import Model

Status = Literal["passed", "failed", "skipped", "expected"]
STRICT = "Take it off the expected failures."


@dataclass(frozen=True)
class Outcome:
    """The outcome of one check.

    status: `passed`; `failed`, also where a check that was expected to fail did not, or is not
            applicable to the model; `skipped`, not applicable; `expected`, failed as was expected.
    reason: why, in a sentence; empty for what passed.
    ended:  whether it failed because the model's code called `sys.exit` or can't build it, which
        ends whatever uses it.
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
    """The outcome of each check, as it is there; `only` names some, `expected_failures` says which
    may fail, and why.

    Raises:
        NameNotFound: no model or check has that name, or one that is expected to fail is not among
            those that `only` names.
    """
    expected = asked_for(expected_failures or {}, only)
    made = Model.named(model) if isinstance(model, str) else model
    for check in chosen(only):
        yield _outcome(check, made, expected.get(check.name))


def failures(outcomes: Collection[Outcome]) -> str:
    """Those that failed, a line each; empty where none did."""
    return "\n".join(
        f"{outcome.check}: {outcome.reason}" for outcome in outcomes if outcome.status == "failed"
    )


def kept(expected: str) -> str:
    """Said of a check that was expected to fail, and passes."""
    return f"It passed, and was expected to fail: {expected} {STRICT}"


def never_asked(skip: NotApplicable) -> str:
    """Said of a check that was expected to fail, and has nothing to look at."""
    return f"It was expected to fail, and is not applicable: {skip} {STRICT}"


def asked_for(expected: Mapping[str, str], only: Collection[str]) -> dict[str, str]:
    """The expected failures. Raises: NameNotFound for a name that no check has, or that is
    not among those of `only`."""
    asked = {check.name for check in chosen(only)}
    for check in chosen(expected) if expected else ():
        if check.name not in asked:
            raise NameNotFound(
                f"The check '{check.name}' was expected to fail.",
                f"It is not asked: only {', '.join(sorted(asked))}.",
                "Add it to only, or take it off the expected failures.",
            )
    return dict(expected)


def ended(error: BaseException, model: Model) -> bool:
    """Whether an error is `sys.exit`, or came of it, or of a builder that fails."""
    if any(isinstance(cause, SystemExit) for cause in made_of(error)):
        return True
    return isinstance(error, ContractError) and isinstance(model.defect(), ContractError)


def _outcome(check: Check, model: Model, expected: str | None) -> Outcome:
    begin = perf_counter()
    status, reason, exited = _asked(check, model, expected)
    return Outcome(check.name, status, reason, perf_counter() - begin, exited)


def _asked(check: Check, model: Model, expected: str | None) -> tuple[Status, str, bool]:
    try:
        check(model)
    except NotHere as skip:
        return "skipped", str(skip), False
    except NotApplicable as skip:
        return (
            ("skipped", str(skip), False)
            if expected is None
            else ("failed", never_asked(skip), False)
        )
    except (Exception, SystemExit) as error:  # whatever a plugin raises is an answer
        return (
            ("failed", _said(error), ended(error, model))
            if expected is None
            else ("expected", expected, False)
        )
    return ("passed", "", False) if expected is None else ("failed", kept(expected), False)


def _said(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"Its code called sys.exit({error.code!r:.40}), which ends whatever uses it."
    if isinstance(error, AssertionError):
        return str(error) or "An assertion failed."
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
