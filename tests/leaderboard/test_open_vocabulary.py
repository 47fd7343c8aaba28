"""Rows of models whose classes are a prompt: those of the data set, or of the row."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import save_file

from tests.detectors.open_toy import OpenToy
from tests.detectors.test_open_vocabulary import CARDS, PLUGIN
from zoo.data import Dataset
from zoo.errors import DataError
from zoo.labels import LabelSpace
from zoo.leaderboard import build
from zoo.leaderboard.timing import measure

BOARD = """
schema: 1
title: Prompts
timing: 1
resamples: 100
examples: 0
data: {street: 'coco:street/instances.json'}
registry: [cards.yaml]
models:
  - open_toy
  - {name: told, model: open_toy, labels: [dog, kite]}
  - {name: random, model: open_toy, weights: random, labels: [dog]}
"""


@pytest.fixture
def board(
    give_plugin: Callable[..., None],
    street: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A board file with an open model on six images; what times it is this process."""
    give_plugin("acme", PLUGIN)
    save_file(OpenToy(LabelSpace.custom(["one"])).state_dict(), tmp_path / "toy.safetensors")
    (tmp_path / "cards.yaml").write_text(CARDS)
    (tmp_path / "board.yaml").write_text(BOARD)
    monkeypatch.setattr(sys.modules["zoo.leaderboard.build"], "time_model", measure)
    return tmp_path / "board.yaml"


def test_rows_are_measured_on_the_classes_that_they_name(board: Path, tmp_path: Path) -> None:
    made = build(board, to=tmp_path / "site", runs=tmp_path / "runs")
    assert made.failures == ()
    entries = {line.entry.name: line.entry for line in made.tables[0].lines}
    names = {name: (entry.report.provenance or {})["model"] for name, entry in entries.items()}
    assert names == {
        "open_toy": "open_toy.v1[person,dog,unicorn]",
        "told": "open_toy.v1[dog,kite]",
        "random": "open_toy[dog]",
    }
    assert entries["told"].report.measured.missing == ("person", "unicorn")
    assert all(entry.timing for entry in entries.values())


def test_labels_of_stored_detections_are_refused(board: Path, tmp_path: Path) -> None:
    row = "  - {name: stored, model: open_toy, labels: [dog], predictions: results.json}"
    board.write_text(BOARD + row)
    with pytest.raises(DataError, match=r"models\[3\]\.labels': Nobody runs a network"):
        build(board, to=tmp_path / "site")
