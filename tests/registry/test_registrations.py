"""What a plugin hands over is checked as it comes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.errors import PluginError
from zoo.registry.registrations import Contribution

CARDS = {"schema": 2, "cards": {"nano": {"architecture": "net", "labels": ["a"]}}}
ALIAS = {"schema": 2, "aliases": {"small": "nano"}, **CARDS}


@pytest.fixture
def contribution() -> Contribution:
    """Of a plugin that has handed over nothing yet."""
    return Contribution("acme", Path("detzoo_acme.py"))


def test_cards_belong_to_the_plugin(contribution: Contribution) -> None:
    contribution.add_cards(ALIAS)
    [registry_file] = contribution.registry_files
    assert registry_file.rows[0].qualified == "acme/nano"
    assert set(contribution.aliases) == {"small"}


def test_a_builder_is_known_by_its_short_name(contribution: Contribution) -> None:
    contribution.add_builder("architectures", "acme/net", "acme.net:build")
    assert contribution.builders["architectures"] == {"net": "acme.net:build"}


REFUSED: dict[str, tuple[Callable[[Contribution], Any], str]] = {
    "a model twice": (lambda one: [one.add_cards(CARDS), one.add_cards(CARDS)], "'nano' twice"),
    "an alias twice": (
        lambda one: [
            one.add_cards(ALIAS),
            one.add_cards(
                {
                    "schema": 2,
                    "aliases": {"small": "tiny"},
                    "cards": {"tiny": {"architecture": "net", "labels": ["a"]}},
                }
            ),
        ],
        "the alias 'small' twice",
    ),
    "a builder twice": (
        lambda one: [one.add_builder("necks", "fpn", print), one.add_builder("necks", "fpn", list)],
        "registers 'fpn' twice",
    ),
    "no name": (lambda one: one.add_builder("necks", 3, print), "which is not a name"),
    "an odd name": (lambda one: one.add_builder("necks", "F P N", print), "lower-case letters"),
    "no builder": (lambda one: one.add_builder("necks", "fpn", "acme"), "Pass a callable or"),
    "a family of data sets": (
        lambda one: one.add_dataset("*", print),
        "Give every format a name of its own",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_breaks_the_contract_is_refused(contribution: Contribution, case: str) -> None:
    hand_over, said = REFUSED[case]
    with pytest.raises(PluginError, match=said):
        hand_over(contribution)


def test_a_closed_contribution_takes_nothing(contribution: Contribution) -> None:
    contribution.closed = True
    with pytest.raises(PluginError):
        contribution.add_cards(CARDS)
