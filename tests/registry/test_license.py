"""Licences by their SPDX identifiers."""

import pytest

from zoo.registry.license import is_permissive


@pytest.mark.parametrize(
    ("license", "answer"),
    [
        ("Apache-2.0", True),
        ("mit", True),
        ("AGPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", False),
        ("", False),
    ],
)
def test_permissive_is_a_list_of_identifiers(license: str, answer: bool) -> None:
    assert is_permissive(license) is answer
