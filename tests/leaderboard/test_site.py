"""The page is one file that asks nobody for anything, and its data can't break out of where it
stands."""

import json
import re

import pytest

from zoo.leaderboard import Leaderboard
from zoo.leaderboard.site import page, to_json
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


def data_of(html):
    """The data of a page, as they stand in it."""
    return re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', html, re.DOTALL)[1]


def test_embedded_data_closes_no_tag(board):
    text = data_of(page(board))
    assert not set("<>&\u2028\u2029") & set(text)
    [first, _] = json.loads(text)["tables"][0]["lines"]
    assert first["entry"]["model"]["name"] == "b|c <b>\u2028</script>"


def test_the_page_holds_what_it_shows_with_five_decimals(board):
    inside = json.loads(data_of(page(board)))["tables"][0]
    whole = json.loads(to_json(board))["tables"][0]
    assert inside["pairs"]["p_values"] == whole["pairs"]["p_values"]
    reports = [[line["entry"]["report"] for line in one["lines"]] for one in (inside, whole)]
    for short, full in zip(*reports, strict=True):
        assert short["numbers"]["AP"] == round(full["numbers"]["AP"], 5)
        assert short["per_class"]["cat"].keys() == {"boxes", "ap", "ap50", "recall"}
        assert full["per_class"]["cat"]["precision"]


def test_a_thousand_models_of_eighty_classes_make_a_page_that_a_browser_opens(board):
    """What one more model adds to the page, and what one more pair adds."""
    table = json.loads(data_of(page(board)))["tables"][0]
    [line, _] = (json.dumps(one, separators=(",", ":")) for one in table["lines"])
    one_class = len(
        json.dumps({"a class": table["lines"][0]["entry"]["report"]["per_class"]["cat"]})
    )
    pair = len(json.dumps([*table["pairs"]["reach"], *table["pairs"]["p_values"]]))
    assert 1000 * (len(line) + 78 * one_class) + 1000 * 999 / 2 * pair < 32e6


def test_the_title_is_text(board):
    assert "<title>Toys &amp; &lt;tools&gt;</title>" in page(board)


def test_the_json_holds_everything_but_the_replicates(board):
    content = json.loads(to_json(board))
    lines = content["tables"][0]["lines"]
    assert [line["entry"]["model"]["name"] for line in lines] == ["b|c <b>\u2028</script>", "a"]
    assert lines[0]["entry"]["report"]["numbers"]["AP"] == board.tables[0].lines[0].entry.report.ap
    assert all(line["entry"]["report"]["resamplings"] is None for line in lines)
    assert lines[0]["ranks"] == [1, 1]
