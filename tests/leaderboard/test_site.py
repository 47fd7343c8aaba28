"""The page is one file that asks nobody for anything, and its data can't break out of where it
stands."""

import json
import re

import pytest

from zoo.leaderboard import Leaderboard
from zoo.leaderboard.site import embedded, page, to_json
from zoo.leaderboard.table import table_of


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


def test_the_page_names_no_other_host(board):
    assert re.findall(r"(?:https?:)?//[a-z][\w.-]+\.\w+", page(board)) == [
        "http://www.w3.org"
    ]  # the name of SVG's namespace
    assert "@import" not in page(board)
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page(board))


def test_the_page_s_policy_allows_its_own_script_alone(board):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page(board))[1]
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[\w+/=]+'", policy)
    assert "unsafe-inline" not in policy.split("style-src")[0]


def test_embedded_data_closes_no_tag_and_reads_as_the_same(board):
    text = embedded(board)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == json.loads(to_json(board))


def test_the_title_is_text(board):
    assert "<title>Toys &amp; &lt;tools&gt;</title>" in page(board)


def test_the_json_holds_everything_but_the_replicates(board):
    content = json.loads(to_json(board))
    lines = content["tables"][0]["lines"]
    assert [line["entry"]["model"]["name"] for line in lines] == ["b|c <b>\u2028</script>", "a"]
    assert lines[0]["entry"]["report"]["numbers"]["AP"] == board.tables[0].lines[0].entry.report.ap
    assert all(line["entry"]["report"]["resamplings"] is None for line in lines)
    assert lines[0]["ranks"] == [1]
