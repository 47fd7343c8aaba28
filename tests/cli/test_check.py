"""`zoo check`: the kit from the shell."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Shell = Callable[..., Any]
SMALL = ("--set", "size=32", "--set", "input.size=[32, 32]")


def test_every_check_has_a_line_and_the_exit_code_is_0(shell: Shell) -> None:
    answer = shell("check", "yolox_nano", *SMALL)
    assert answer.code == 0, answer.out
    assert "prepared_as_declared " in answer.out
    assert answer.out.rstrip().endswith("skipped.")
    assert "0 failed" not in answer.out


def test_a_check_that_fails_is_shown_with_its_reason_and_the_exit_code_is_1(shell: Shell) -> None:
    answer = shell("check", "yolox_nano", "--set", "size=64", "--only", "prepared_as_declared", "--only", "one_pixel")
    assert answer.code == 1
    assert "prepared_as_declared  FAILED" in answer.out
    assert "prepared_as_declared: The card resizes a picture of 64 x 48 to 416 x 312, and prepare to 64.0 x 48.0." in answer.out
    assert answer.out.rstrip().endswith("yolox_nano: 1 passed, 1 failed.")


def test_json_has_promise_status_and_reason(shell: Shell) -> None:
    answer = shell("check", "yolox_nano", *SMALL, "--only", "best_first", "--json")
    written = json.loads(answer.out)
    [check] = written["checks"]
    assert check.pop("seconds") > 0
    assert check == {
        "check": "best_first",
        "group": "answers",
        "promise": "Scores never rise from one detection to the next.",
        "status": "passed",
        "reason": "",
    }
    assert (written["model"], written["passed"], written["failed"], written["skipped"], written["expected"]) == (
        "yolox_nano",
        1,
        0,
        0,
        0,
    )


def test_expected_failures_are_read_from_a_file(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "expected.yaml"
    file.write_text("prepared_as_declared: The card is of the full size.\n")
    wanted = ("check", "yolox_nano", "--set", "size=64", "--only", "prepared_as_declared", "--expect", str(file))
    answer = shell(*wanted)
    assert answer.code == 0
    assert "fails, as expected" in answer.out
    assert "The card is of the full size." in answer.out


@pytest.mark.parametrize("text", ["- a list", "best_first: 3", "a: b: c"])
def test_a_file_of_expected_failures_that_is_none_is_refused(shell: Shell, tmp_path: Path, text: str) -> None:
    file = tmp_path / "expected.yaml"
    file.write_text(text)
    answer = shell("check", "yolox_nano", "--expect", str(file))
    assert answer.code == 4
    assert "expected.yaml" in answer.err


def test_mistakes_are_sentences(shell: Shell) -> None:
    assert "Did you mean 'best_first'?" in shell("check", "yolox_nano", "--only", "best_frist").err
    assert shell("check", "yolox_nan").code == 3
    assert "It is not NAME=VALUE." in shell("check", "yolox_nano", "--set", "size").err
