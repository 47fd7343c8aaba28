"""Facts and tables for a terminal; an unknown fact is a dash."""

import os
import subprocess
import sys

import pytest

from zoo.cli.format import (
    format_claim,
    format_count,
    format_license,
    format_megabytes,
    format_number,
    format_percent,
    format_size,
    format_text,
    table,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0.00M"),
        (910_000, "0.91M"),
        (9_994_999, "9.99M"),
        (34_014_999, "34.0M"),
        (99_960_000, "100M"),
        (1_200_000_000, "1.20B"),
    ],
)
def test_parameters_are_counted_in_millions(value: int | None, text: str) -> None:
    assert format_count(value) == text


def test_sizes_tell_edges_from_sides() -> None:
    assert format_size((800, 1333), "shortest_edge") == "800-1333"
    assert format_size((300, 300), "fixed") == "300"
    assert format_size((480, 640), "letterbox") == "480x640"
    assert format_size(None, None) == format_number(None) == "–"


def test_a_table_is_aligned() -> None:
    assert table(("a", "long"), [("x", "1"), ("yyy", "22")], right=("long",)) == [
        "a    long",
        "x       1",
        "yyy    22",
    ]
    assert table(("a", "b"), []) == ["a  b"]


def test_columns_that_do_not_fit_are_left_out_from_the_end() -> None:
    rows = [("yolox", "1", "coco"), ("ssd", "22", "voc")]
    assert table(("name", "AP", "labels"), rows, width=19) == [
        "name   AP  labels",
        "yolox  1   coco",
        "ssd    22  voc",
    ]
    assert table(("name", "AP", "labels"), rows, width=16) == [
        "name   AP …",
        "yolox  1",
        "ssd    22",
        "… labels: in 17 columns",
    ]
    assert table(("name", "AP", "labels"), rows, width=3)[:3] == ["name …", "yolox", "ssd"]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_a_listing_fits_the_terminal() -> None:
    terminal, inside = os.openpty()
    command = [sys.executable, "-m", "zoo", "list", "yolox_*"]
    subprocess.run(command, env=os.environ | {"COLUMNS": "60"}, stdout=inside, check=True)
    lines = os.read(terminal, 4096).decode().splitlines()
    os.close(inside)
    os.close(terminal)
    assert any(line.startswith("yolox_nano ") for line in lines)
    assert max(map(len, lines)) <= 60


def test_what_is_unknown_is_a_dash_everywhere() -> None:
    unknown = (
        format_text(None),
        format_number(None),
        format_count(None),
        format_percent(None),
        format_license(None, None),
    )
    assert set(unknown) == {"–"}


def test_one_licence_is_said_once_and_two_are_both_said() -> None:
    assert format_license("MIT", "MIT") == "MIT"
    assert format_license("MIT", None) == "MIT / –"


@pytest.mark.parametrize(("value", "text"), [(41.0, "41.0"), (41.25, "41.25"), (0.1, "0.1")])
def test_a_claim_keeps_its_decimals(value: float, text: str) -> None:
    assert format_claim(value) == text


def test_shares_are_percent_and_small_files_kilobytes() -> None:
    assert format_percent(0.3359) == "33.6"
    assert format_megabytes(3_700_000) == "3.7 MB"
    assert format_megabytes(99_000) == "99.0 kB"


def test_text_that_can_not_be_printed_is_escaped_in_a_table() -> None:
    assert "\x1b" not in "\n".join(table(("name",), [("\x1b[31mred",)]))
