"""Background: each check finds variants that are wrong where random weights and
small images hide it."""

from __future__ import annotations

import pytest

from tests.testing.conformance.broken_promises import is_found
from tests.testing.conformance.wrong_toys import PositivesAlone
from zoo.testing import Toy

VARIANTS: dict[str, tuple[str, type[Toy]]] = {
    "positives alone": ("background_is_unlearnt", PositivesAlone),
}


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_a_wrong_variant_is_found_by_its_check(variant: str) -> None:
    assert is_found(*VARIANTS[variant])
