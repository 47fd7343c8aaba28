"""Registering is held to its promise in a process of its own, with a plugin that is installed."""

from pathlib import Path

import pytest

from zoo.registry import Card
from zoo.testing import Model, Toy, run

CARD = Card(architecture="heavy/toy", labels=["red", "green", "blue"])


@pytest.fixture
def heavy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed plugin that imports torch while it registers."""
    (tmp_path / "detzoo_heavy.py").write_text("import torch\n")
    info = tmp_path / "detzoo_heavy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: detzoo-heavy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[detzoo]\nheavy = detzoo_heavy\n")
    monkeypatch.syspath_prepend(str(tmp_path))


def test_a_plugin_that_imports_torch_while_registering_fails(heavy: None) -> None:
    [outcome] = run(Model.built_by(Toy, labels=CARD.labels), only=["registering_imports_no_torch"])
    assert outcome.status == "skipped"  # no card says which plugin it is of
    model = Model("toy", Toy, Model.built_by(Toy, labels=CARD.labels).space, CARD)
    [outcome] = run(model, only=["registering_imports_no_torch"])
    assert (outcome.status, outcome.reason) == ("failed", "Registering detzoo-heavy 1.0 imports torch.")
