"""What is advised for a broken plugin goes by how it was installed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.registry.missing import repair_advice


@pytest.mark.parametrize(
    ("origin", "advice"),
    [
        (None, "Repair or upgrade it: pip install --upgrade detzoo-acme"),
        (
            {"url": "file:///my%20work/acme", "dir_info": {"editable": True}},
            "Repair it in /my work/acme",
        ),
        (
            {"url": "file:///work/acme", "dir_info": {}},
            'Repair it in /work/acme, then: pip install "/work/acme"',
        ),
        (
            {
                "url": "https://example.org/acme.git",
                "vcs_info": {"vcs": "git", "commit_id": "1" * 40},
            },
            "Repair it, or install another version of it; this one is from https://example.org/acme.git",
        ),
        ([], "Repair or upgrade it: pip install --upgrade detzoo-acme"),
    ],
)
def test_the_advice_fits_where_it_is_from(
    give_plugin: Callable[..., None], tmp_path: Path, origin: object, advice: str
) -> None:
    give_plugin("acme", "")
    if origin is not None:
        (tmp_path / "site" / "detzoo_acme-1.0.dist-info" / "direct_url.json").write_text(
            json.dumps(origin)
        )
    assert repair_advice("detzoo-acme") == advice


def test_of_what_is_not_installed_nothing_is_known() -> None:
    assert (
        repair_advice("detzoo-no-such")
        == "Repair or upgrade it: pip install --upgrade detzoo-no-such"
    )
