"""Registry files for the tests of the registry, made on the spot."""

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from zoo.registry import reload

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a registry file and returns its path."""

    def write(text: str, name: str = "cards.yaml") -> Path:
        path = tmp_path / name
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture(autouse=True)
def _fresh_catalogue() -> Iterator[None]:
    """No test sees the catalogue of another."""
    reload()
    yield
    reload()
