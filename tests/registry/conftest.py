"""Registry files and plugin distributions for the tests of the registry, made on the spot."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from zoo.registry import reload

Write = Callable[..., Path]
Give = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a registry file and returns its path."""

    def write(text: str, name: str = "cards.yaml") -> Path:
        path = tmp_path / name
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture
def give_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Give]:
    """Puts a plugin on the import path: a module, and a distribution whose entry point names it."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    modules: list[str] = []

    def give(name: str, source: str, *, distribution: str = "", version: str = "1.0", module: str = "") -> None:
        distribution = distribution or f"detzoo-{name}"
        module = module or f"detzoo_{name}"
        modules.append(module)
        (site / f"{module}.py").write_text(dedent(source), encoding="utf-8")
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[detzoo]\n{name} = {module}\n")
        importlib.invalidate_caches()

    yield give
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture(autouse=True)
def _fresh_catalogue() -> Iterator[None]:
    """No test sees the catalogue of another."""
    reload()
    yield
    reload()
