"""A board is a YAML file; what is wrong in it is named by file, line and field."""

import pytest

from zoo.errors import DataError
from zoo.leaderboard import Board, Row

START = "schema: 1\ntitle: Mine\ndata: {toys: 'coco:toys.json'}\n"


def board_of(text, tmp_path):
    (tmp_path / "BOARD.yaml").write_text(text)
    return Board.read(tmp_path / "BOARD.yaml")


def test_a_model_may_be_a_name_or_a_row_with_more_to_say(tmp_path):
    board = board_of(START + "models: [yolox_nano, {model: yolox_tiny, weights: random, name: Tiny}]", tmp_path)
    assert board.rows == [Row(model="yolox_nano"), Row(model="yolox_tiny", weights="random", name="Tiny")]
    assert [row.shown for row in board.rows] == ["yolox_nano", "Tiny"]
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
        (START + "models: [a]\npictures: many", "Line 5, field 'pictures'"),
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


def test_a_board_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"(?s)none\.yaml.*can't be read"):
        Board.read(tmp_path / "none.yaml")
