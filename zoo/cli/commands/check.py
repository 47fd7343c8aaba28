"""`zoo check`: the conformance kit on one model, from the shell.

With `--json`, an object: model, passed, failed, skipped, expected (how many of each), and checks, a
list of {check, group, promise, status, reason, same_as, seconds, ended}. A reason is told once:
later checks that give the same have an empty one and name the first in `same_as`, else null.

The exit code is 0 where nothing failed, 1 where a check did, and 8 where the model can't be built
or its code called `sys.exit`.
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

NAMED = 3  # checks that are listed before one fault; of more, the first
SHOWN = {"passed": "ok", "failed": "FAILED", "skipped": "skipped", "expected": "fails, as expected"}
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
    names, expected = _chosen(only, expect, engines=engine is not None)
    outcomes = _with_progress(run(model, only=names, expected_failures=expected), len(names))
    if as_json:
        _write_json(model.name, outcomes)
    else:
        _write_table(model.name, outcomes)
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    raise typer.Exit(
        ContractError.exit_code if any(outcome.ended for outcome in failed) else bool(failed)
    )


def _chosen(
    only: list[str] | None, expect: Path | None, *, engines: bool
) -> tuple[list[str], dict[str, str]]:
    """The checks to run, and those of them that may fail. engines: those of engines alone, unless
    some are named."""
    from zoo.testing import CHECKS

    listed = _expected(expect)  # of all checks, even if only some are asked for
    names = only or [
        name for name, each in CHECKS.items() if not engines or each.group == "engines"
    ]
    expected = {
        name: reason for name, reason in listed.items() if name in names or name not in CHECKS
    }
    return names, expected


def _with_progress(running: Any, total: int) -> list[Outcome]:
    """All outcomes; on a terminal, a bar until they are there."""
    from rich.console import Console
    from rich.progress import track

    return list(
        track(running, "Checking", total=total, console=Console(stderr=True), transient=True)
    )


def _write_table(name: str, outcomes: Sequence[Outcome]) -> None:
    output.lines(
        table(
            ("check", "result", "seconds"),
            [_cells(outcome) for outcome in outcomes],
            right=("seconds",),
        )
    )
    reasons = [f"{_some(checks)}: {reason}" for reason, checks in _told_once(outcomes)]
    output.lines(["", *reasons, *([""] if reasons else []), f"{name}: {_counted(outcomes)}."])


def _told_once(outcomes: Sequence[Outcome]) -> list[tuple[str, list[str]]]:
    """Each reason with the checks that give it."""
    first = _first_told(outcomes)
    checks_of: dict[str, list[str]] = {}
    for check, name in first.items():
        checks_of.setdefault(name, []).append(check)
    reasons = {outcome.check: outcome.reason for outcome in outcomes}
    return [(reasons[name], checks) for name, checks in checks_of.items()]


def _first_told(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Each check that gives a reason, and the first that gives the same.

    One fault in many images differs in its numbers, and in who noticed it.
    """
    first: dict[tuple[str, str], str] = {}
    first_check = {}
    for outcome in outcomes:
        if outcome.reason:
            kind = re.sub(r"\d+(\.\d+)?", "0", outcome.reason.rpartition(" raised ")[2])
            first_check[outcome.check] = first.setdefault((outcome.status, kind), outcome.check)
    return first_check


def _some(checks: Sequence[str]) -> str:
    """Their names, or the first and how many more there are."""
    return ", ".join(checks) if len(checks) <= NAMED else f"{checks[0]} and {len(checks) - 1} more"


def _cells(outcome: Outcome) -> tuple[str, str, str]:
    return outcome.check, SHOWN[outcome.status], f"{outcome.seconds:.2f}"


def _counted(outcomes: Sequence[Outcome]) -> str:
    counts: Counter[str] = Counter(outcome.status for outcome in outcomes)
    said = {
        "passed": "passed",
        "failed": "failed",
        "expected": "failed as expected",
        "skipped": "skipped",
    }
    return ", ".join(
        f"{counts[status]} {words}" for status, words in said.items() if counts[status]
    )


def _write_json(name: str, outcomes: Sequence[Outcome]) -> None:
    import json
    from dataclasses import asdict

    from zoo.testing import CHECKS

    counts: Counter[str] = Counter(outcome.status for outcome in outcomes)
    first = _first_told(outcomes)
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
            {"model": name, **{status: counts[status] for status in SHOWN}, "checks": checks},
            indent=2,
        )
    )


def _settings(given: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """`size=64` and `input.size=[64, 64]` as arguments of the card and fields of its input; values
    are read as YAML."""
    arguments: dict[str, Any] = {}
    input: dict[str, Any] = {}
    for setting in given:
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


def _expected(file: Path | None) -> dict[str, str]:
    """The expected failures that a file lists. Raises: CardError if it is not a mapping of text to
    text."""
    if file is None:
        return {}
    asked, fix = (
        f"Expected failures can't be read from '{file}'.",
        "Write lines such as deterministic: It samples.",
    )
    try:
        reasons = parse_value(read(file), file) or {}
    except CardError as error:
        raise CardError(asked, error.case, f"{error.fix} {fix}") from error
    if not isinstance(reasons, dict) or not all(
        isinstance(text, str) for pair in reasons.items() for text in pair
    ):
        raise CardError(asked, "It is not a mapping of checks to reasons.", fix)
    return reasons
