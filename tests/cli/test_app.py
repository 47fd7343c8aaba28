"""The command `zoo` itself: help, version, mistakes, and the short cut past Typer."""

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import zoo

Shell = Callable[..., Any]


def test_the_version_is_told(shell: Shell) -> None:
    assert shell("--version").out == f"detzoo {zoo.__version__}\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Usage: zoo"),
        (("lst",), "Did you mean 'list'?"),
        (("show",), "NAME"),
        (("list", "--wher", "x"), "--where"),
        (("list", "--where"), "--where"),
        (("list", "a", "b"), "(b)"),
        (("plugins", "nw", "x"), "Did you mean zoo plugins new?"),
        (("hub", "sreve", "x"), "Did you mean zoo hub serve?"),
        (("hub", "x"), "There is zoo hub serve."),
    ],
)
def test_a_usage_mistake_exits_with_2(shell: Shell, words: tuple[str, ...], says: str) -> None:
    answer = shell(*words)
    assert answer.code == 2
    assert says in answer.out + answer.err


def test_a_traceback_is_shown_on_demand(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Traceback" not in shell("show", "nope").err
    monkeypatch.setenv("ZOO_TRACEBACK", "1")
    answer = shell("show", "nope")
    assert answer.code == 3
    assert "Traceback" in answer.err


def test_an_interrupt_exits_with_130() -> None:
    code = "import os, signal, sys; from zoo.cli import main, app; import zoo.cli.commands.show\n"
    code += "show = sys.modules['zoo.cli.commands.show']\n"
    code += "show.catalogue = lambda: os.kill(os.getpid(), signal.SIGINT)\n"
    code += "sys.argv = ['zoo', 'show', 'x']; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, preexec_fn=default_interrupt
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")


def default_interrupt() -> None:
    """A shell in the background makes its children ignore interrupts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_terminal_that_can_not_show_a_character_is_no_error() -> None:
    command = [sys.executable, "-m", "zoo", "list"]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONIOENCODING": "ascii"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "yolox_nano" in done.stdout


@pytest.mark.parametrize("words", [["hub"], ["hub", "--help"]])
def test_the_first_word_of_a_command_of_two_shows_its_help(words: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "zoo", *words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: zoo hub serve")


def test_garbage_is_looked_for_as_often_as_before(shell: Shell) -> None:
    often = gc.get_threshold()
    shell("show", "nope")
    assert gc.get_threshold() == often
