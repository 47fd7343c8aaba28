"""The page on timm's architectures says what building them says."""

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest
import timm

from zoo.contract import FeatureLevel

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    """The script that writes the page."""
    spec = importlib.util.spec_from_file_location(
        "audit_timm", ROOT / "benchmarks" / "audit_timm.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["audit_timm"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_page_has_every_architecture(audit: ModuleType) -> None:
    version, rows = audit.read(audit.PAGE.read_text())
    if version != timm.__version__:
        pytest.skip(f"the page was made with timm {version}, and this is {timm.__version__}")
    assert [row.name for row in rows] == timm.list_models()


def test_the_totals_are_those_of_the_rows(audit: ModuleType) -> None:
    text = audit.PAGE.read_text()
    version, rows = audit.read(text)
    assert len(rows) > 1000
    assert audit.page(rows).replace(f"timm {timm.__version__},", f"timm {version},") == text


@pytest.mark.slow
@pytest.mark.parametrize("fits", [True, False], ids=["fit", "do not fit"])
def test_a_random_sample_is_built_again_and_found_as_the_page_says(
    audit: ModuleType, fits: bool
) -> None:
    version, rows = audit.read(audit.PAGE.read_text())
    if version != timm.__version__:
        pytest.skip(f"the page was made with timm {version}, and this is {timm.__version__}")
    sample = random.sample([row for row in rows if bool(row.channels) is fits], 6)
    assert [audit.audit(row.name) for row in sample] == sample


def test_a_network_that_returns_other_maps_than_it_declares_is_found(audit: ModuleType) -> None:
    detector = audit.build("test_resnet")
    assert audit.run(detector, (64, 64)) is None
    detector.backbone.levels = (FeatureLevel(1, 8), *detector.backbone.levels[1:])
    assert "other than it declared" in audit.run(detector, (64, 64))


def test_a_verdict_fits_a_table(audit: ModuleType) -> None:
    assert audit.reason("It has no map at stride 8, 32; it has 16.") == "no map at 8, 32 (has 16)"
    assert audit.reason("a | b" + "c" * 200).endswith("…")
    assert "|" not in audit.reason("a | b")


def test_a_row_survives_the_page(audit: ModuleType) -> None:
    rows = [
        audit.Row("a", (1, 2, 3), "any"),
        audit.Row("b", (), "no map at 8 (has 16)"),
        audit.Row("c", (4, 5, 6), "224 x 224"),
    ]
    assert audit.read(audit.page(rows))[1] == rows
