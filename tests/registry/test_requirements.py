"""Requirements of a card: distributions and extras that have to be installed."""

import pytest

from zoo.errors import MissingExtra
from zoo.registry.card import Card
from zoo.registry.requirements import check_requirements, is_requirement, unmet


@pytest.mark.parametrize(
    "text", ["msgspec", "transformers>=4.50", "detzoo[plots]", "a-b.c[d,e] >=1,<2", "torch~=2.0"]
)
def test_distributions_and_extras_are_requirements(text: str) -> None:
    assert is_requirement(text)


@pytest.mark.parametrize(
    "text",
    ["", "--pre", "-r x.txt", "a @ https://example.org/a.whl", "a; sys_platform == 'win32'", "a b"],
)
def test_addresses_options_and_markers_are_not(text: str) -> None:
    assert not is_requirement(text)


def test_what_is_not_installed_or_too_old_is_unmet() -> None:
    requires = ["msgspec", "msgspec>=999", "no-such-thing", "PyYAML"]
    assert unmet(requires) == ["msgspec>=999", "no-such-thing"]


def test_an_extra_is_met_where_everything_it_adds_is_installed() -> None:
    assert unmet(["huggingface-hub[no-such-extra]"]) == []
    assert unmet(["pytest[dev]"]) == ["pytest[dev]"]


def test_the_error_has_the_line_that_installs_what_is_missing() -> None:
    card = Card(architecture="a/b", labels=["c"], requires=["no-such>=4", "msgspec", "other[x]"])
    with pytest.raises(MissingExtra) as caught:
        check_requirements(card, "nano")
    assert caught.value.case == "It requires no-such>=4, other[x], which are not installed."
    assert caught.value.fix == "pip install 'no-such>=4' 'other[x]'"
