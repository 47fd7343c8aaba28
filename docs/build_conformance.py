"""Writes docs/reference/conformance.md: every first-party model against every check of the kit.

`--only NAME` prints one model and writes nothing; `--check NAME` asks one check, and keeps what the
page says of all others.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from zoo.registry import Card, Entry
from zoo.registry.card import Input, Licenses
from zoo.testing import CHECKS, Model, Outcome, run

HERE = Path(__file__).parent
PAGE = HERE / "reference" / "conformance.md"
SUBJECTS: dict[str, Any] = yaml.safe_load((HERE / "conformance.yaml").read_text())
SIGNS = {"passed": "✓", "skipped": "–", "expected": "✗", "failed": "**failed**"}
Columns = dict[str, dict[str, str]]  # model -> check -> sign
INPUT = Input(resize="letterbox", size=[64, 64], mean=[0.5] * 3, std=[0.25] * 3)
TOP = """# Conformance

Every model of the zoo against every check of `zoo.testing`, made by `docs/build_conformance.py` with random weights and small
inputs (`docs/conformance.yaml` has the sizes). `zoo check NAME` asks the same of any model.

✓ kept · – not applicable on the machine that made the page · ✗ an expected failure, with its reason below
"""


def names() -> list[str]:
    """Every model on the page."""
    return [*SUBJECTS["models"], *SUBJECTS["composed"]]


def model(name: str) -> Model:
    """One of them, small."""
    if name in SUBJECTS["models"]:
        changes = SUBJECTS["models"][name]
        return Model.named(name, arguments=changes.get("arguments"), input=changes.get("input"))
    card = Card(
        architecture="zoo/compose",
        arguments=SUBJECTS["composed"][name],
        labels=["red", "green", "blue"],
        family="Composed",
        summary="Parts of several packages.",
        input=INPUT,
        licenses=Licenses(code="Apache-2.0"),
    )
    return Model.of_entry(Entry(name, "zoo", card, str(HERE / "conformance.yaml")))


def expected(name: str) -> dict[str, str]:
    """What it is known not to keep."""
    return dict(SUBJECTS["expected_failures"].get(name, {}))


def column(name: str, *, only: Sequence[str] = ()) -> list[Outcome]:
    """What the kit says of one model."""
    known = {check: why for check, why in expected(name).items() if not only or check in only}
    return list(run(model(name), only=only, expected_failures=known))


def page(columns: Columns) -> str:
    """The page."""
    text = TOP
    for family, members in families(columns).items():
        text += (
            f"\n## {family}\n\n"
            + row("check", [f"`{name}`" for name in members])
            + row("---", [":-:"] * len(members))
        )
        for check in CHECKS:
            text += row(f"`{check}`", [columns[name][check] for name in members])
    text += "\n## The checks\n\n" + row("check", ["promise"]) + row("---", ["---"])
    text += "".join(row(f"`{name}`", [check.promise]) for name, check in CHECKS.items())
    reasons = [(name, check, why) for name in names() for check, why in expected(name).items()]
    text += "\n## Expected failures\n\n" + (
        "".join(f"- `{name}`, `{check}`: {why}\n" for name, check, why in reasons) or "None.\n"
    )
    return text


def families(columns: Columns) -> dict[str, list[str]]:
    """The models of each family, in the order of the file."""
    found: dict[str, list[str]] = {}
    for name in names():
        if name in columns:
            found.setdefault(
                "Composed"
                if name in SUBJECTS["composed"]
                else model(name).need_card().family or "",
                [],
            ).append(name)
    return found


def row(first: str, rest: Sequence[str]) -> str:
    return f"| {' | '.join([first, *rest])} |\n"


def read(text: str) -> Columns:
    """The columns of a written page."""
    columns: Columns = {}
    members: list[str] = []
    for line in text.partition("\n## The checks")[0].splitlines():
        first, *rest = (cell.strip() for cell in line.strip("| ").split(" | "))
        if line.startswith("| check"):
            members = [cell.strip("`") for cell in rest]
        elif line.startswith("| `"):
            for name, sign in zip(members, rest, strict=True):
                columns.setdefault(name, {})[first.strip("`")] = sign
    return columns


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        help="check this model and print what it does not keep",
    )
    parser.add_argument(
        "--check",
        metavar="NAME",
        action="append",
        default=[],
        help="ask this check, and keep the page's others",
    )
    asked = parser.parse_args()
    columns = read(PAGE.read_text()) if asked.check else {}
    for name in asked.only or names():
        outcomes = column(name, only=asked.check)
        columns.setdefault(name, {}).update({one.check: SIGNS[one.status] for one in outcomes})
        failed = [f"  {one.check}: {one.reason}" for one in outcomes if one.status == "failed"]
        print(
            "\n".join([f"{name}  {sum(one.seconds for one in outcomes):.1f} s", *failed]),
            flush=True,
        )
    if asked.check or not asked.only:
        PAGE.write_text(page(columns))


if __name__ == "__main__":
    main()
