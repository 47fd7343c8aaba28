"""What the docs promise beside others is one list, and nothing else is quoted."""

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
FACTOR = re.compile(
    r"(\d+(?:\.\d+)?)\s*(?:times\s+(?:as\s+(?:fast|much|long)|faster|slower)|x\s+(?:faster|slower))"
)
PRINTED = ("benchmarks.md",)  # tables and notes as a run printed them


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The benchmarks' modules by name; they are scripts that import each other."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
    before = set(sys.modules)
    yield import_module
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and "benchmarks" in str(
            sys.modules[name].__file__
        ):
            del sys.modules[name]


def pages() -> list[Path]:
    return [
        ROOT / "README.md",
        *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page.name not in PRINTED),
    ]


def test_no_page_quotes_a_factor_that_is_not_promised(benchmarks: Any) -> None:
    promised = {one.least or one.most for one in benchmarks("promises").PROMISES.values()}
    quoted = [
        (page.name, found[0])
        for page in pages()
        for found in FACTOR.finditer(page.read_text())
        if float(found[1]) not in promised
    ]
    assert not quoted, (
        "measured factors go into docs/reference/benchmarks.md as printed, promised ones into "
        "benchmarks/promises.py"
    )


def test_every_promise_has_one_bound_and_is_measured(benchmarks: Any) -> None:
    promises, quick = benchmarks("promises").PROMISES, benchmarks("quick")
    assert all((one.least is None) != (one.most is None) for one in promises.values())
    assert sorted(name for _, names in quick.MEASURES.values() for name in names) == sorted(
        promises
    )


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("tensors", 5.0, 4.99),
        ("tensors-memory", 0.5, 0.51),
        ("files", 1.0, 0.9),
        ("list-many", 1.2, 1.6),
    ],
)
def test_a_promise_is_kept_or_not(benchmarks: Any, name: str, good: float, bad: float) -> None:
    quick = benchmarks("quick")
    assert quick.row(name, good)["holds"] == "yes"
    assert quick.row(name, bad)["holds"] == "NO"


def test_a_row_whose_peer_is_absent_says_how_to_install_it(
    benchmarks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = benchmarks("quick")
    monkeypatch.setattr(quick, "missing", lambda promise: list(promise.needs))
    assert (
        quick.row("tensors", None)["holds"]
        == "peer absent: pip install hotcoco ultrafast-pycocotools"
    )
