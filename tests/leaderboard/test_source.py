"""Where a row's numbers come from: weights, stored detections, and what is known of the model."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from zoo.data import read
from zoo.errors import DataError
from zoo.evaluate.predictions import code
from zoo.leaderboard.board import Board, Row
from zoo.leaderboard.entry import RANDOM, UNKNOWN
from zoo.leaderboard.source import (
    Source,
    check_code,
    describe,
    fingerprint,
    model_of,
    source_of,
    weights_of,
)
from zoo.registry import catalogue

BOARD = """
schema: 1
title: Mine
timing: false
data: {toys: 'coco:instances.json'}
models:
  - {name: stored, model: yolox_nano, predictions: results.json, protocol: {score: 0.01}}
"""


@pytest.fixture
def board(desk: Path) -> Board:
    (desk / "BOARD.yaml").write_text(BOARD)
    return Board.read(desk / "BOARD.yaml")


def stored(desk: Path, board: Board, **changes: object) -> tuple[Row, Source]:
    """The row of stored detections, and where its numbers come from."""
    row = structs.replace(board.rows[0], **changes)
    data = read(f"coco:{desk / 'instances.json'}")
    return row, source_of(row, data, board, folder=desk, to=desk / "runs")


@pytest.mark.parametrize(
    ("weights", "given"),
    [
        (None, True),
        (RANDOM, False),
        ("coco", "coco"),
        ("hub:org/name", "hub:org/name"),
        ("file:nets/a.pth", "file:/boards/nets/a.pth"),
        ("file:/else/a.pth", "file:/else/a.pth"),
        ("file:~/a.pth", f"file:{Path.home() / 'a.pth'}"),
    ],
)
def test_weights_are_as_load_takes_them_relative_to_the_board(
    weights: str | None, given: object
) -> None:
    assert weights_of(Row(model="yolox_nano", weights=weights), Path("/boards")) == given


@pytest.mark.parametrize(
    ("model", "given"),
    [
        ("yolox_nano", "yolox_nano"),
        ("file:runs/a", "file:/boards/runs/a"),
        ("file:../a", "file:/boards/../a"),
        ("file:/else/a", "file:/else/a"),
    ],
)
def test_a_folder_of_a_run_is_relative_to_the_board(model: str, given: str) -> None:
    assert model_of(Row(model=model), Path("/boards")) == given


def test_a_results_list_is_known_by_its_content(desk: Path, board: Board) -> None:
    _, source = stored(desk, board)
    assert source.detections == desk / "results.json"
    assert source.facts["results_sha256"] == (
        hashlib.sha256((desk / "results.json").read_bytes()).hexdigest()
    )
    assert source.protocol == {"score": 0.01}
    assert len(source.images) == 6
    np.testing.assert_allclose(source.images[0]["boxes"], [[11, 10, 51, 40]])


def test_a_model_is_described_by_its_card_and_what_is_stated_of_its_weights(
    desk: Path, board: Board
) -> None:
    row, source = stored(desk, board)
    model = describe(row, source, folder=desk)
    assert (model.name, model.weights.source) == ("stored", UNKNOWN)
    assert model.parameters > 900_000
    (desk / "net.pth").write_bytes(b"weights")
    row, source = stored(desk, board, weights="file:net.pth")
    weights = describe(row, source, folder=desk).weights
    assert (weights.source, weights.bytes) == ("file:net.pth", 7)
    assert weights.sha256 == hashlib.sha256(b"weights").hexdigest()


def test_everything_that_an_entry_depends_on_is_in_its_fingerprint(
    desk: Path, board: Board
) -> None:
    row, source = stored(desk, board)
    data = read(f"coco:{desk / 'instances.json'}")
    first = fingerprint(row, source, data, board)
    assert fingerprint(*stored(desk, board), data, board) == first
    passing = replace(source, facts={**source.facts, "seconds": "7", "evaluated": "now"})
    assert fingerprint(row, passing, data, board) == first
    others = [
        fingerprint(row, replace(source, facts={**source.facts, "model": "b"}), data, board),
        fingerprint(row, replace(source, protocol={"score": 0.5}), data, board),
        fingerprint(row, source, data.subset([0, 1]), board),
        fingerprint(*stored(desk, board, note="never trained"), data, board),
    ]
    assert len({first, *others}) == 5


def test_timing_of_other_code_than_accuracy_is_refused(board: Board) -> None:
    row = board.rows[0]
    choice = catalogue().resolve("yolox_nano")
    now = code.of_choice(choice)
    check_code(Row(model="yolox_nano"), Source(Path(), {"code_sha256": now}, {}, [], choice))
    other = Source(Path(), {"code_sha256": "0" * 64}, {}, [], choice)
    with pytest.raises(DataError, match="Its code has changed in the meantime"):
        check_code(Row(model="yolox_nano"), other)
    check_code(row, Source(Path(), {}, {}, [], choice))  # stored detections, of whatever code
