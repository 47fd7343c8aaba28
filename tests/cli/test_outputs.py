"""Output options at odds are refused, in the words of the command line."""

from pathlib import Path

import pytest

from zoo.cli.outputs import check_distinct, check_font
from zoo.errors import UsageError


def test_two_options_for_one_file_are_refused(tmp_path: Path) -> None:
    files = {"--json": str(tmp_path / "a"), "--report": tmp_path / "b" / ".." / "a"}
    with pytest.raises(UsageError) as caught:
        check_distinct(files)
    assert caught.value.failure == "--json and --report were given."
    assert "Both would be written" in caught.value.case


def test_files_of_their_own_and_options_that_were_not_given_pass(tmp_path: Path) -> None:
    check_distinct({"--json": "a", "--coco": None, "--save": None, "--report": tmp_path / "a"})


def test_a_font_without_its_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        check_font(tmp_path / "a.ttf", None, option="--plots", example="FOLDER")
    assert caught.value.case == "It is for --plots, which was not."
    assert caught.value.fix == "Add --plots FOLDER"


def test_a_font_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.ttf").write_text("no font")
    with pytest.raises(UsageError, match=r"a\.ttf"):
        check_font(tmp_path / "a.ttf", tmp_path, option="--plots", example="FOLDER")


def test_an_output_without_a_font_passes(tmp_path: Path) -> None:
    check_font(None, tmp_path, option="--save", example="annotated")
