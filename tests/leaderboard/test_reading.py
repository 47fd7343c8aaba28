"""Files that others wrote: another kind is called what it is, and a wrong number is named."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from zoo.errors import DataError
from zoo.leaderboard import Entry
from zoo.leaderboard.board import Board
from zoo.leaderboard.reading import check_numbers, read_struct


class Lamp(msgspec.Struct, forbid_unknown_fields=True):
    color: str
    watts: int = 5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"tables": [], "findings": []}', "It is a leaderboard, no entry.*folder entries"),
        (
            '{"schema": 1, "title": "Mine", "data": {}}',
            "It is a board, no entry.*zoo leaderboard build",
        ),
        ('{"numbers": {}, "measured": {}}', "It is a report, no entry"),
    ],
    ids=["leaderboard", "board", "report"],
)
def test_another_kind_of_file_is_called_what_it_is(content, said, tmp_path):
    (tmp_path / "it.json").write_text(content)
    with pytest.raises(DataError, match=rf"(?s){said}"):
        Entry.read(tmp_path / "it.json")


def test_an_entry_is_no_board(tmp_path):
    (tmp_path / "it.json").write_text('{"model": {}, "report": {}, "data": "toys"}')
    with pytest.raises(DataError, match="It is an entry, no board"):
        Board.read(tmp_path / "it.json")


def test_a_board_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"(?s)none\.yaml.*can't be read"):
        Board.read(tmp_path / "none.yaml")


def test_yaml_and_json_are_read_alike(tmp_path):
    (tmp_path / "lamp.yaml").write_text("color: red\nwatts: 7\n")
    (tmp_path / "lamp.json").write_text('{"color": "red", "watts": 7}')
    for name in ("lamp.yaml", "lamp.json"):
        assert read_struct(tmp_path / name, Lamp, what="lamp") == Lamp("red", 7)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("lamp.json", '{"color": 5}', "'color'"),
        ("lamp.yaml", "color: red\nwats: 7\n", "wats"),
        ("lamp.json", "[]", "It is not JSON: it holds a list where an object belongs"),
        ("lamp.json", "{", "It is not JSON"),
        ("lamp.json", "\xff", "It is not JSON"),
        ("lamp.json", "[" * 100_000, "It is nested deeper"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(tmp_path, name, content, said):
    (tmp_path / name).write_text(content, encoding="latin-1")
    with pytest.raises(DataError, match=rf"(?s)The lamp '.*{name}' was read.*{said}"):
        read_struct(tmp_path / name, Lamp, what="lamp")


def test_numbers_of_a_report_are_shares_of_today_s_format(make_entry):
    report = make_entry().report
    check_numbers(Path("it.json"), report)
    with pytest.raises(DataError, match=r"'report\.numbers\.AP' is 33\.6, and a share lies"):
        check_numbers(Path("it.json"), replace(report, numbers={**report.numbers, "AP": 33.6}))
    with pytest.raises(DataError, match=r"'report\.format' is 99"):
        check_numbers(Path("it.json"), replace(report, format=99))


def test_replicates_are_as_many_for_each_number(make_entry):
    report = make_entry().report
    numbers = {**report.resamplings.numbers, "AP": (0.5,)}
    odd = replace(report, resamplings=replace(report.resamplings, numbers=numbers))
    with pytest.raises(DataError, match="unequal counts of replicates: AP 1, AP50 200"):
        check_numbers(Path("it.json"), odd)
