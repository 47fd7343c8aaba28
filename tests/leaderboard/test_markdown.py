"""A leaderboard as Markdown: a row per model, and no mark-up of somebody else's making."""

import re
from dataclasses import replace

import pytest

from zoo.leaderboard import Leaderboard
from zoo.leaderboard.markdown import (
    HEADER,
    escape,
    license_of,
    markdown,
    ranks,
    without_empty_columns,
)
from zoo.leaderboard.table import Failure, table_of


@pytest.fixture
def board(make_entry):
    entries = [make_entry("a", quality=0.6), make_entry("b|c <b>\u2028</script>")]
    return Leaderboard(
        "Toys & <tools>",
        None,
        "uniform",
        {"score": 0.01},
        "2026-01-01",
        "0.1.0",
        (table_of("toys", entries, []),),
        (),
        (),
        (),
    )


def cells(line):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_markdown_has_a_row_a_model_and_every_column_of_which_something_is_known(board):
    text = markdown(board)
    header, line, *rows = [cells(line) for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2
    assert {"Rank", "Model", "AP", "Median (ms)"} <= set(header) <= set(HEADER)
    assert {len(row) for row in (header, line, *rows)} == {len(header)}
    assert all(set(column) != {"–"} for column in zip(*rows, strict=True))
    assert "b\\|c \\<b\\> \\</script\\>" in text
    assert "A rank is the places" in text


def test_columns_of_which_nothing_is_known_are_left_out_but_for_rank_name_and_ap():
    assert without_empty_columns(
        ("rank", "model", "AP", "ms", "checks"),
        [("–", "a", "–", "–", ""), ("–", "b", "–", "3", "")],
    ) == (
        ("rank", "model", "AP", "ms"),
        [("–", "a", "–", "–"), ("–", "b", "–", "3")],
    )


def test_text_of_others_stays_text_in_markdown():
    assert escape("[a](http://b) <i>*x*\n| y") == r"\[a\](http:&#8203;//b) \<i\>\*x\* \| y"
    assert escape("see @boss, boss@example.org, WWW.example.org") == (
        "see @&#8203;boss, boss@&#8203;example.org, WWW.&#8203;example.org"
    )
    assert escape("\x1b[2J") == r"\\x1b\[2J"


def test_what_failed_or_was_left_out_is_listed(make_entry):
    board = Leaderboard(
        *("Toys", "All of them.", "uniform", {}, "2026-01-01", "0.1.0"),
        (table_of("toys", [make_entry("a")], []),),
        (),
        ("b on toys",),
        (Failure("c", "toys", "It is broken."), Failure("d", None, "There is none.")),
    )
    lines = markdown(board).splitlines()
    assert "All of them." in lines
    assert lines[lines.index("## In no table, because of what the checks found") + 2] == (
        "- b on toys"
    )
    start = lines.index("## Not measured")
    assert lines[start + 2 : start + 4] == ["- c on toys: It is broken.", "- d: There is none."]


def test_a_model_in_two_groups_has_two_ranks_and_one_without_has_none(make_entry):
    [line] = table_of("toys", [make_entry()], []).lines
    for given, shown in (((2,), "2"), ((2, 3), "2–3"), ((), "–")):
        assert ranks(replace(line, ranks=given)) == shown


def test_one_licence_is_said_once(make_entry):
    [line] = table_of("toys", [make_entry(license="MIT")], []).lines
    assert license_of(line) == "MIT"
    [line] = table_of("toys", [make_entry(license=None)], []).lines
    assert license_of(line) == "–"
