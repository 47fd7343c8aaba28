"""How help looks, and how an option that is given wrongly is told what it takes."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import typer

from zoo.cli.app import COMMANDS, app
from zoo.cli.help import narrow_width

Shell = Callable[..., Any]


def test_help_names_every_command_under_a_heading(shell: Shell) -> None:
    out = shell("--help").out
    for name, (heading, _) in COMMANDS.items():
        assert f" {name} " in out
        assert f"{heading}:\n" in out
    assert "..." not in out.partition("\n")[2]  # no first sentence is cut


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help(shell: Shell, name: str) -> None:
    answer = shell(name, "--help")
    assert answer.code == 0
    assert f"zoo {name}" in answer.out


def test_every_option_is_written_in_lower_case() -> None:
    """Typer 0.27 takes a placeholder that spells the option's name for its name."""

    def options(command: Any) -> list[str]:
        own = [
            spelt
            for one in getattr(command, "params", [])
            for spelt in one.opts
            if spelt.startswith("--")
        ]
        return own + [
            spelt for inner in getattr(command, "commands", {}).values() for spelt in options(inner)
        ]

    found = options(typer.main.get_command(app([])))
    assert "--device" in found
    assert [spelt for spelt in found if spelt != spelt.lower()] == []


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("name", list(COMMANDS))
def test_help_flows_and_names_no_type(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = shell(name, "--help").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any(
        f"<{kind}" in line for line in lines for kind in ("bool", "str", "list", "int", "float")
    )
    prose = lines[
        2 : next(place for place, line in enumerate(lines) if line in ("Arguments:", "Options:"))
    ]
    for one, after in pairwise(prose):
        assert not one or not after or len(f"{one} {after.split()[0]}") > 78, (
            "a line ends before it is full"
        )


@pytest.mark.parametrize("name", list(COMMANDS))
def test_help_fits_a_narrow_terminal(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert max(map(len, shell(name, "--help").out.splitlines())) <= 40


def test_usage_has_braces_only_where_there_is_a_choice_and_ranges_are_words(shell: Shell) -> None:
    assert shell("show", "--help").out.startswith("Usage: zoo show [OPTIONS] NAME\n")
    out = shell("detect", "--help").out
    assert out.startswith("Usage: zoo detect [OPTIONS] {IMAGE|FOLDER|GLOB|URL}...\n")
    assert "0 to 1" in out
    assert "at least 1" in out
    assert "x>=" not in out


@pytest.mark.parametrize(("columns", "width"), [("80", None), ("52", None), ("51", 50), ("9", 30)])
def test_only_a_narrow_terminal_has_a_width_of_its_own(
    monkeypatch: pytest.MonkeyPatch, columns: str, width: int | None
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert narrow_width() == width


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("detect", "a.png", "--score", "2"), "It is a number, 0 to 1."),
        (("detect", "a.png", "--score", "high"), "Write for example --score"),
        (("detect", "a.png", "--exif", "turn"), "It is one of apply, ignore."),
        (("detect", "a.png", "--json", ""), "It names no file or folder"),
        (("detect", "a.png", "--json", "a", "--json", "b"), "It is given more than once"),
    ],
)
def test_an_option_says_what_it_takes(shell: Shell, words: tuple[str, ...], said: str) -> None:
    answer = shell(*words)
    assert answer.code == 2
    assert said in answer.err
