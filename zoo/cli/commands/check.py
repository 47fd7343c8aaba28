"""`zoo check`: runs the conformance kit on one model.

With `--json`, an object: model, passed, failed, skipped, expected (how many of each), and checks, a
list of {check, group, promise, status, reason, same_as, seconds, ended}. A reason is given once:
later checks with the same one have an empty reason, and name the first in `same_as`, else null.

The exit code is 0 if nothing failed, 1 if a check did, and 8 if the model can't be built or its
code called `sys.exit`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from zoo.cli import output
from zoo.cli.format import table
from zoo.cli.options import value_of, weights_of
from zoo.errors import CardError, ContractError, UsageError
from zoo.registry.yaml_document import parse_value, read

if TYPE_CHECKING:
    from zoo.testing import Outcome

MAX_CHECKS_NAMED = 3  # per reason
STATUS_WORDS = {
    "passed": "ok",
    "failed": "FAILED",
    "skipped": "skipped",
    "expected": "fails, as expected",
}
Settings: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="One of its arguments, or input.NAME=VALUE."),
]
TrainedWeights: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="WEIGHTS", help="Check trained weights too: a tag of the card, file:PATH or hub:…"
    ),
]
ClaimData: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="DATA", help="Images to measure them on, as coco:PATH, against the card's claim."
    ),
]
EngineName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="ENGINE",
        help="Check an engine instead: that it computes what torch does with trained weights.",
    ),
]


def check(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A model, as zoo list shows it.", show_default=False),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="CHECK", help="This check alone; may be repeated.")
    ] = None,
    setting: Settings = None,
    weights: TrainedWeights = None,
    data: ClaimData = None,
    engine: EngineName = None,
    expect: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML: check: reason, of those that may fail."),
    ] = None,
) -> None:
    """Hold a model to what the zoo promises of every detector, with random weights, and say what it
    does not keep.

    A smaller network is checked faster: zoo check yolox_nano --set size=64 --set 'input.size=[64,
    64]'

    With --weights it also has to see what its card expects: zoo check yolox_nano --weights coco
    --only expected_detections

    With --engine it is the engine that is checked: zoo check yolox_pico --engine onnxruntime
    """
    from zoo.testing import Model, run  # deferred: they import torch

    weights = None if weights_of(weights) is False else weights
    arguments, input = _settings(setting or [])
    model = Model.named(
        name, arguments=arguments, input=input, weights=weights, data=data, engine=engine
    )
    names, expected = _checks_to_run(only, expect, engines=engine is not None)
    outcomes = _with_progress(run(model, only=names, expected_failures=expected), len(names))
    if as_json:
        _write_json(model.name, outcomes)
    else:
        _write_table(model.name, outcomes)
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    raise typer.Exit(
        ContractError.exit_code if any(outcome.ended for outcome in failed) else bool(failed)
    )


def _checks_to_run(
    only: list[str] | None, expect: Path | None, *, engines: bool
) -> tuple[list[str], dict[str, str]]:
    """The checks to run, and the reasons of those that may fail.

    engines: run the checks of engines only, unless checks are named.
    """
    from zoo.testing import CHECKS

    listed = _read_expected_failures(expect)  # of all checks, even if only some are run
    names = only or [
        name for name, each in CHECKS.items() if not engines or each.group == "engines"
    ]
    expected = {
        name: reason for name, reason in listed.items() if name in names or name not in CHECKS
    }
    return names, expected


def _with_progress(outcomes: Any, total: int) -> list[Outcome]:
    """All outcomes; shows a progress bar on a terminal meanwhile."""
    from rich.console import Console
    from rich.progress import track

    return list(
        track(outcomes, "Checking", total=total, console=Console(stderr=True), transient=True)
    )


def _write_table(name: str, outcomes: Sequence[Outcome]) -> None:
    output.lines(
        table(
            ("check", "result", "seconds"),
            [_cells(outcome) for outcome in outcomes],
            right=("seconds",),
        )
    )
    reasons = [
        f"{_names_or_count(checks)}: {reason}" for reason, checks in _checks_by_reason(outcomes)
    ]
    output.lines(["", *reasons, *([""] if reasons else []), f"{name}: {_summary(outcomes)}."])


def _checks_by_reason(outcomes: Sequence[Outcome]) -> list[tuple[str, list[str]]]:
    """Each reason, and the names of the checks that give it."""
    first = _first_with_same_reason(outcomes)
    checks_of: dict[str, list[str]] = {}
    for check, name in first.items():
        checks_of.setdefault(name, []).append(check)
    reasons = {outcome.check: outcome.reason for outcome in outcomes}
    return [(reasons[name], checks) for name, checks in checks_of.items()]


def _first_with_same_reason(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """For each check with a reason, the first check with the same reason.

    Reasons are the same if they differ only in numbers, or in the function that raised the error.
    """
    first: dict[tuple[str, str], str] = {}
    first_check = {}
    for outcome in outcomes:
        if outcome.reason:
            kind = re.sub(r"\d+(\.\d+)?", "0", outcome.reason.rpartition(" raised ")[2])
            first_check[outcome.check] = first.setdefault((outcome.status, kind), outcome.check)
    return first_check


def _names_or_count(checks: Sequence[str]) -> str:
    """The names of the checks; if there are many, the first and how many more there are."""
    if len(checks) > MAX_CHECKS_NAMED:
        return f"{checks[0]} and {len(checks) - 1} more"
    return ", ".join(checks)


def _cells(outcome: Outcome) -> tuple[str, str, str]:
    return outcome.check, STATUS_WORDS[outcome.status], f"{outcome.seconds:.2f}"


def _summary(outcomes: Sequence[Outcome]) -> str:
    counts: Counter[str] = Counter(outcome.status for outcome in outcomes)
    phrases = {
        "passed": "passed",
        "failed": "failed",
        "expected": "failed as expected",
        "skipped": "skipped",
    }
    return ", ".join(
        f"{counts[status]} {words}" for status, words in phrases.items() if counts[status]
    )


def _write_json(name: str, outcomes: Sequence[Outcome]) -> None:
    import json
    from dataclasses import asdict

    from zoo.testing import CHECKS

    counts: Counter[str] = Counter(outcome.status for outcome in outcomes)
    first = _first_with_same_reason(outcomes)
    checks = []
    for entry in outcomes:
        check, same = CHECKS[entry.check], first.get(entry.check, entry.check)
        reason = (
            {"reason": entry.reason, "same_as": None}
            if same == entry.check
            else {"reason": "", "same_as": same}
        )
        checks.append(asdict(entry) | reason | {"group": check.group, "promise": check.promise})
    output.document(
        json.dumps(
            {
                "model": name,
                **{status: counts[status] for status in STATUS_WORDS},
                "checks": checks,
            },
            indent=2,
        )
    )


def _settings(settings: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments of the card (`size=64`) and the fields of its input (`input.size=[64, 64]`);
    values are parsed as YAML."""
    arguments: dict[str, Any] = {}
    input: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not name or not equals:
            raise UsageError(
                f"--set {setting:.60} was given.",
                "It is not NAME=VALUE.",
                "Write for example --set size=64",
            )
        into = input if name.startswith("input.") else arguments
        into[name.removeprefix("input.")] = value_of(setting, value)
    return arguments, input


def _read_expected_failures(file: Path | None) -> dict[str, str]:
    """The expected failures in a YAML file, check to reason. Raises: CardError if it is not a
    mapping of text to text."""
    if file is None:
        return {}
    failure = f"Expected failures can't be read from '{file}'."
    fix = "Write lines such as deterministic: It samples."
    try:
        reasons = parse_value(read(file), file) or {}
    except CardError as error:
        raise CardError(failure, error.case, f"{error.fix} {fix}") from error
    if not isinstance(reasons, dict) or not all(
        isinstance(text, str) for pair in reasons.items() for text in pair
    ):
        raise CardError(failure, "It is not a mapping of checks to reasons.", fix)
    return reasons
