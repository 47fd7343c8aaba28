"""The kit on one model: every check in turn, and what came of each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

from zoo.testing.checklist import Check, chosen
from zoo.testing.model import Model
from zoo.testing.verdict import NotApplicable

Status = Literal["passed", "failed", "skipped", "expected"]


@dataclass(frozen=True)
class Outcome:
    """What one check said.

    status: `passed`; `failed`, also where a check that was expected to fail did not; `skipped`, not applicable;
            `expected`, failed as was expected.
    reason: why, in a sentence; empty for what passed.
    """

    check: str
    status: Status
    reason: str
    seconds: float


def run(
    model: Model | str, *, only: Collection[str] = (), expected_failures: Mapping[str, str] | None = None
) -> Iterator[Outcome]:
    """The outcome of each check, as it is there; `only` names some, `expected_failures` says which may fail, and why.

    Raises:
        NameNotFound: no model or check has that name.
    """
    expected = dict(expected_failures or {})
    chosen(expected)  # every one of them is a check
    made = Model.named(model) if isinstance(model, str) else model
    for check in chosen(only):
        yield _outcome(check, made, expected.get(check.name))


def failures(outcomes: Collection[Outcome]) -> str:
    """Those that failed, a line each; empty where none did."""
    return "\n".join(f"{one.check}: {one.reason}" for one in outcomes if one.status == "failed")


def _outcome(check: Check, model: Model, expected: str | None) -> Outcome:
    begin = perf_counter()
    status, reason = _asked(check, model)
    if expected is not None and status == "failed":
        status, reason = "expected", expected
    elif expected is not None and status == "passed":
        status, reason = "failed", f"It passed, and was expected to fail: {expected} Take it off the expected failures."
    return Outcome(check.name, status, reason, perf_counter() - begin)


def _asked(check: Check, model: Model) -> tuple[Status, str]:
    try:
        check(model)
    except NotApplicable as why:
        return "skipped", str(why)
    except AssertionError as why:
        return "failed", str(why) or "An assertion failed."
    except Exception as why:  # whatever a plugin raises is an answer
        return "failed", f"{type(why).__name__}: {' '.join(str(why).split())}"
    return "passed", ""
