"""A board is a YAML file; what is wrong in it is named by file, line and field."""

from dataclasses import fields

import pytest

import zoo
from zoo.errors import DataError
from zoo.leaderboard import Board, Row
from zoo.leaderboard.entry import SETTINGS

START = "schema: 1\ntitle: Mine\ndata: {toys: 'coco:toys.json'}\n"
TWO = START.replace("}", ", more: 'coco:more.json'}")


def board_of(text, tmp_path):
    (tmp_path / "BOARD.yaml").write_text(text)
    return Board.read(tmp_path / "BOARD.yaml")


def test_a_model_may_be_a_name_or_a_row_with_more_to_say(tmp_path):
    board = board_of(
        START + "models: [yolox_nano, {model: yolox_tiny, weights: random, name: Tiny}]", tmp_path
    )
    assert board.rows == [
        Row(model="yolox_nano"),
        Row(model="yolox_tiny", weights="random", name="Tiny"),
    ]
    assert [row.title for row in board.rows] == ["yolox_nano", "Tiny"]
    assert board.protocol == "uniform"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (START, "It names neither models nor entries."),
        (START + "modles: [a]", "Line 4, field 'modles'.*Did you mean 'models'"),
        (START + "models: [{modle: a}]", r"Line 4, field 'models\[0\]"),
        (START + "models: [a, a]", r"'models\[1\]': 'a' is there twice"),
        (START + "models: [a]\nprotocol: mine", "Line 5, field 'protocol'"),
        (START + "models: [a]\nresamples: 5", "Line 5, field 'resamples'"),
        (START + "models: [a]\ntiming: 0", "Line 5, field 'timing'"),
        (
            START + "models: [{model: a, data: [toy]}]",
            r"'models\[0\]\.data': There is no data set 'toy'.*Did you mean 'toys'",
        ),
        (
            START + "models: [{model: a, predictions: {toy: a.json}}]",
            r"predictions': There is no data set 'toy'",
        ),
        (
            START + "models: [{model: a, predictions: a.json, weights: random}]",
            r"weights': Nobody ran a network",
        ),
        (
            START + "models: [{model: a, protocol: {score: 0.5}}]",
            "protocol': The model is run by the board's protocol",
        ),
        (
            START + "models: [{model: a, predictions: a.parquet, provenance: {b: c}}]",
            "Parquet files say it themselves",
        ),
        (
            START + "models: [{model: a, predictions: a.json, protocol: {skore: 1}}]",
            "no setting 'skore'.*mean 'score'",
        ),
        (
            TWO + "models: [{model: a, predictions: a.json}]",
            r"one file, and there are 2.*\{toys: FILE, more: FILE\}",
        ),
        (
            TWO + "models: [{model: a, predictions: {toys: a.json}, data: [toys]}]",
            "already name the data sets",
        ),
        (START + "models: [a]\nexamples: many", "Line 5, field 'examples'"),
        ("schema: 1\ntitle: Mine\ndata: {}\nmodels: [a]", "Line 3, field 'data'"),
        ("schema: 2", "field 'schema'"),
        ("title: [", "It is not YAML"),
        ("", "It is empty"),
        ("schema: &a 1\nx: *a", "anchor"),
    ],
    ids=str,
)
def test_a_wrong_board_is_named_with_line_and_field(text, said, tmp_path):
    with pytest.raises(DataError, match=rf"(?s)BOARD\.yaml' was read.*{said}"):
        board_of(text, tmp_path)


def test_the_settings_a_row_may_state_are_those_of_a_protocol():
    assert set(SETTINGS) == {field.name for field in fields(zoo.Protocol)}


def test_a_row_is_called_with_its_engine():
    assert Row(model="yolox_nano", engine="onnxruntime").title == "yolox_nano (onnxruntime)"
    assert Row(model="yolox_nano", engine="onnxruntime", name="mine").title == "mine"
