"""The command lines that help shows are of commands and options that there are."""

import shlex
from collections.abc import Callable
from typing import Any

import pytest

from zoo.cli.examples import EXAMPLES

Shell = Callable[..., Any]


@pytest.mark.parametrize("command", list(EXAMPLES))
def test_an_example_is_of_its_command_and_of_options_that_it_has(
    shell: Shell, command: str
) -> None:
    out = shell(*command.split(), "--help").out
    assert "Examples:" in out
    for line in EXAMPLES[command]:
        words = shlex.split(line)
        if "zoo" in words:
            assert words[words.index("zoo") + 1 :][: len(command.split())] == command.split()
            options = [word for word in words[words.index("zoo") :] if word.startswith("--")]
            assert [word for word in options if f"{word} " not in out] == []
