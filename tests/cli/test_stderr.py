"""What commands say on standard error."""

import pytest

from zoo.cli import stderr
from zoo.errors import UsageError


def test_errors_and_warnings_say_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    stderr.error("It broke.")
    stderr.warning("It creaks.")
    assert capsys.readouterr().err == "Error: It broke.\nWarning: It creaks.\n"


def test_advice_is_given_in_the_words_of_the_shell(capsys: pytest.CaptureFixture[str]) -> None:
    stderr.error(
        UsageError(
            "No weights.", "None are here.", 'weights="file:PATH"', fix_cli="--weights file:PATH"
        )
    )
    assert capsys.readouterr().err == "Error: No weights.\nNone are here.\n--weights file:PATH\n"


def test_a_file_name_that_looks_like_advice_stays_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stderr.error(
        UsageError(
            "The image 'crop-7 score=0.93.jpg' can't be read.", "It is cut off.", "Save it again."
        )
    )
    assert "'crop-7 score=0.93.jpg'" in capsys.readouterr().err


def test_a_name_that_begins_a_new_line_forges_none(capsys: pytest.CaptureFixture[str]) -> None:
    stderr.error(UsageError("No file 'a\nError: pay.jpg'.", "\x1b[2JNone.", "Look."), about="b\nc")
    assert (
        capsys.readouterr().err == "Error: b c: No file 'a Error: pay.jpg'.\n\\x1b[2JNone.\nLook.\n"
    )
