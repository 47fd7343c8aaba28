"""Every model of the zoo keeps every promise, and the page in the docs says so.

`docs/conformance.yaml` says at which size each is checked. Models that share their code with a
cheaper one are asked a few checks here, and all of them when the page is made.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from zoo.registry import catalogue
from zoo.testing import CHECKS, Model, Outcome, run

ROOT = Path(__file__).parent.parent.parent.parent
SAMPLE = (
    "boxes_inside_the_image",
    "long_and_flat",
    "neighbours_change_nothing",
    "gradients_reach_every_part",
    "one_class",
)
CARD = [name for name, check in CHECKS.items() if check.group == "card"]


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "build_conformance", ROOT / "docs" / "build_conformance.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = _script()
SUBJECTS = {**SCRIPT.SUBJECTS["models"], **SCRIPT.SUBJECTS["composed"]}
SAMPLED = [name for name, subject in SUBJECTS.items() if subject.get("suite") == "sample"]


@pytest.fixture(scope="module")
def page() -> dict[str, dict[str, str]]:
    return SCRIPT.read(SCRIPT.PAGE.read_text())


Hold = Callable[[str, list[Outcome]], None]


@pytest.fixture
def hold(page: dict[str, dict[str, str]]) -> Hold:
    """No outcome is a failure, and each is what the page says, unless either was not applicable on
    its machine."""

    def hold(name: str, outcomes: list[Outcome]) -> None:
        assert [f"{one.check}: {one.reason}" for one in outcomes if one.status == "failed"] == []
        written = page[name]
        found = {one.check: SCRIPT.SIGNS[one.status] for one in outcomes}
        assert {
            check: sign
            for check, sign in found.items()
            if sign != written[check] and "–" not in (sign, written[check])
        } == {}

    return hold


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SUBJECTS if name not in SAMPLED])
def test_it_keeps_every_promise(name: str, hold: Hold) -> None:
    dear = SUBJECTS[name].get("suite_without", [])
    hold(name, SCRIPT.column(name, only=[check for check in CHECKS if check not in dear]))


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLED)
def test_what_shares_its_code_with_another_keeps_a_sample(name: str, hold: Hold) -> None:
    dear = SUBJECTS[name].get("suite_without", [])
    hold(name, SCRIPT.column(name, only=[check for check in SAMPLE if check not in dear]))


@pytest.mark.slow
@pytest.mark.parametrize("name", list(SCRIPT.SUBJECTS["models"]))
def test_its_card_is_complete_and_its_full_size_is_prepared_as_declared(name: str) -> None:
    outcomes = list(
        run(Model.named(name), only=[*CARD, "prepared_as_declared", "space_is_the_cards"])
    )
    assert [f"{one.check}: {one.reason}" for one in outcomes if one.status == "failed"] == []


def test_every_bundled_model_is_on_the_page(page: dict[str, dict[str, str]]) -> None:
    assert set(catalogue().names()) | set(SCRIPT.SUBJECTS["composed"]) == set(page)


def test_the_page_is_what_its_columns_make(page: dict[str, dict[str, str]]) -> None:
    assert SCRIPT.page(page) == SCRIPT.PAGE.read_text()
    assert all(sign in {"✓", "–", "✗"} for column in page.values() for sign in column.values())


@pytest.mark.slow
def test_at_its_full_size_yolox_nano_keeps_what_small_objects_and_levels_decide() -> None:
    checks = [
        "gradients_reach_every_part",
        "many_boxes_returned",
        "only_overlaps_suppressed",
        "loss_teaches_the_named_class",
    ]
    assert [
        one.reason for one in run(Model.named("yolox_nano"), only=checks) if one.status == "failed"
    ] == []
