"""`zoo check`: the kit from the shell."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.errors import ContractError

Shell = Callable[..., Any]
SMALL = ("--set", "size=32", "--set", "input.size=[32, 32]")

LOUD = """
    from itertools import count
    from zoo import hookimpl

    number = count(1)

    def build(*, label_space):
        from zoo.testing import Toy

        class Loud(Toy):
            def decode(self, outputs, batch, protocol):
                raise ValueError(f"Box {next(number)} is odd")

        return Loud(label_space)

    @hookimpl
    def register_architectures(register):
        register("loud", "detzoo_loud:build")

    @hookimpl
    def register_cards(register):
        register({"schema": 2, "cards": {"loud": {"architecture": "loud", "labels": ["a"]}}})
"""


def test_every_check_has_a_line_and_the_exit_code_is_0(shell: Shell) -> None:
    answer = shell("check", "yolox_nano", *SMALL)
    assert answer.code == 0, answer.out
    assert "prepared_as_declared " in answer.out
    assert answer.out.rstrip().endswith("skipped.")
    assert "0 failed" not in answer.out


def test_a_check_that_fails_is_shown_with_its_reason_and_the_exit_code_is_1(shell: Shell) -> None:
    answer = shell(
        "check",
        "yolox_nano",
        "--set",
        "size=64",
        "--only",
        "prepared_as_declared",
        "--only",
        "one_pixel",
    )
    assert answer.code == 1
    assert "prepared_as_declared  FAILED" in answer.out
    assert (
        "prepared_as_declared: The card resizes an image of 64 x 48 to 416 x 312, and preprocess "
        "to 64.0 x 48.0." in answer.out
    )
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
        "same_as": None,
        "ended": False,
    }
    assert (
        written["model"],
        written["passed"],
        written["failed"],
        written["skipped"],
        written["expected"],
    ) == (
        "yolox_nano",
        1,
        0,
        0,
        0,
    )


def test_expected_failures_are_read_from_a_file(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "expected.yaml"
    file.write_text("prepared_as_declared: The card is of the full size.\n")
    wanted = (
        "check",
        "yolox_nano",
        "--set",
        "size=64",
        "--only",
        "prepared_as_declared",
        "--expect",
        str(file),
    )
    answer = shell(*wanted)
    assert answer.code == 0
    assert "fails, as expected" in answer.out
    assert "The card is of the full size." in answer.out


@pytest.mark.parametrize("text", ["- a list", "best_first: 3", "a: b: c"])
def test_a_file_of_expected_failures_that_is_none_is_refused(
    shell: Shell, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "expected.yaml"
    file.write_text(text)
    answer = shell("check", "yolox_nano", "--expect", str(file))
    assert answer.code == 4
    assert "expected.yaml" in answer.err


def test_mistakes_are_sentences(shell: Shell) -> None:
    assert "Did you mean 'best_first'?" in shell("check", "yolox_nano", "--only", "best_frist").err
    assert shell("check", "yolox_nan").code == 3
    assert "It is not NAME=VALUE." in shell("check", "yolox_nano", "--set", "size").err


def test_random_weights_are_what_is_checked_anyway(shell: Shell) -> None:
    answer = shell("check", "yolox_nano", "--weights", "random", "--only", "space_is_the_cards")
    words = ["check", "yolox_nano", "--only", "space_is_the_cards"]
    assert (answer.code, answer.err) == (shell(*words).code, shell(*words).err)
    assert "For random weights" not in answer.err


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (
            "size=big",
            "'yolox_nano' can't be checked with size='big'.\n"
            "Expected a whole number, got text: 'big'.\n",
        ),
        ("breadth=3", "The arguments do not fit: got an unexpected keyword argument 'breadth'.\n"),
    ],
)
def test_a_setting_that_the_architecture_does_not_take_is_the_settings_fault_whatever_is_checked(
    shell: Shell, setting: str, said: str
) -> None:
    answer = shell("check", "yolox_nano", "--only", "card_has_a_licence", "--set", setting)
    assert answer.code == 4
    assert said in answer.err
    assert "takes: depth, width, depthwise, backbone, size." in answer.err
    assert "registry.yaml" not in answer.err


LEAVING = """
    import sys
    from zoo import hookimpl

    def build(*, label_space, step):
        from zoo.testing import Toy

        def leave(*_):
            sys.exit(0)

        return leave() if step == "build" else type("Leaving", (Toy,), {step: leave})(label_space)

    def fail(*, label_space):
        raise ValueError("It has no weights.")

    @hookimpl
    def register_architectures(register):
        register("leaving", "detzoo_leaving:build")
        register("failing", "detzoo_leaving:fail")

    @hookimpl
    def register_cards(register):
        cards = {"failing": {"architecture": "failing", "labels": ["a"]}}
        for step in ("build", "decode"):
            cards[step] = {"architecture": "leaving", "labels": ["a"], "arguments": {"step": step}}
        register({"schema": 2, "cards": cards})
"""


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("build", "It called sys.exit(0)"),
        ("decode", "Its code called sys.exit(0)"),
        ("failing", "It has no weights."),
    ],
)
def test_a_plugin_that_leaves_or_can_not_be_built_ends_the_real_command_with_8(
    give_plugin: Callable[..., None], tmp_path: Path, model: str, said: str
) -> None:
    give_plugin("leaving", LEAVING)
    command = [
        sys.executable,
        "-m",
        "zoo",
        "check",
        model,
        "--only",
        "sees_something",
        "--only",
        "card_has_labels",
    ]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == ContractError.exit_code == 8, done.stderr
    assert said in done.stdout
    assert done.stdout.endswith(
        f"{model}: 1 passed, 1 failed.\n"
    )  # the checks after the fault are asked too
    assert "Traceback" not in done.stderr


def test_one_fault_in_many_checks_is_told_once(
    shell: Shell, give_plugin: Callable[..., None]
) -> None:
    give_plugin("loud", LOUD)
    checks = ["best_first", "corners_in_order", "labels_in_range", "sees_something"]
    answer = shell("check", "loud", *[word for check in checks for word in ("--only", check)])
    assert answer.code == 1
    assert answer.out.count("FAILED") == 4
    assert answer.out.count("ValueError: Box") == 1, answer.out
    assert "sees_something and 3 more: ValueError: Box 1 is odd" in answer.out
    written = json.loads(
        shell(
            "check", "loud", *[word for check in checks for word in ("--only", check)], "--json"
        ).out
    )
    first, *others = written["checks"]
    assert (first["check"], first["same_as"]) == ("sees_something", None)
    assert first["reason"].startswith("ValueError: Box")
    told = {(one["status"], one["reason"], one["same_as"]) for one in others}
    assert told == {("failed", "", "sees_something")}


def test_with_an_engine_the_engine_alone_is_checked(shell: Shell) -> None:
    answer = shell("check", "yolox_pico", "--engine", "acme", "--json")
    document = json.loads(answer.out)
    assert answer.code == 1
    assert (document["failed"], document["passed"], document["skipped"]) == (5, 0, 0)
    assert {check["group"] for check in document["checks"]} == {"engines"}
    assert "No engine named 'acme'" in document["checks"][0]["reason"]
    assert {check["same_as"] for check in document["checks"][1:]} == {
        document["checks"][0]["check"]
    }
