"""A toy and its card that keep every promise, and what fails of a toy that breaks one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import structs

from tests.testing.conformance.faulty_toys import SPACE
from zoo.labels import LabelSpace
from zoo.registry import Card
from zoo.registry.card import Claim, FileSource, Input, Licenses, Weights
from zoo.testing import Model, Outcome, Toy, run

Broken: TypeAlias = Callable[[LabelSpace], Toy] | Card

CLAIM = Claim(dataset="toys", metric="AP", value=1.0, source="https://example.org/toys")
CARD = Card(
    architecture="toy/toy",
    labels=list(SPACE.names),
    family="Toy",
    summary="A cell says whether something is in it.",
    input=Input(resize="fixed", size=[32, 32], mean=[0.5] * 3, std=[0.25] * 3, antialias=False),
    parameters=35,
    licenses=Licenses(code="Apache-2.0"),
    weights={"v1": Weights(files={"model": [FileSource(path="toy.safetensors")]}, claims=[CLAIM])},
)


def card(**changes: Any) -> Card:
    """The card with other fields."""
    return structs.replace(CARD, **changes)


def failing(broken: Broken) -> dict[str, Outcome]:
    """The checks that a toy fails, or the toy of a card."""
    build, of = (Toy, broken) if isinstance(broken, Card) else (broken, CARD)
    outcomes = run(Model("toy", build, SPACE, of))
    return {outcome.check: outcome for outcome in outcomes if outcome.status == "failed"}


def is_found(check: str, kind: type[Toy]) -> bool:
    """Whether a check fails for that kind of toy, and says why."""
    [outcome] = run(Model("toy", kind, SPACE), only=[check])
    return outcome.status == "failed" and bool(outcome.reason)
