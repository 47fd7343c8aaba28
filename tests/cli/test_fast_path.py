"""The short cut past Typer: plain words, and everything else left to it."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from zoo.cli.app import app
from zoo.cli.fast_path import plain_call

Shell = Callable[..., Any]


def test_an_ordinary_call_is_spared_typer() -> None:
    from zoo.cli.commands.list import list_models

    assert plain_call(list_models, []) == {}
    assert plain_call(list_models, ["yolox_*", "--json"]) == {"pattern": "yolox_*", "as_json": True}
    assert plain_call(list_models, ["--where", "AP > 3", "yolox_*"]) == {
        "where": "AP > 3",
        "pattern": "yolox_*",
    }


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["-h"],
        ["--where"],
        ["--where", "--json"],
        ["--where=AP > 3"],
        ["a", "b"],
        ["--json", "--json"],
        ["--jso"],
        ["--"],
        ["-"],
    ],
)
def test_what_is_not_plain_is_left_to_typer(words: list[str]) -> None:
    from zoo.cli.commands.list import list_models

    assert plain_call(list_models, words) is None


def test_a_missing_argument_is_left_to_typer() -> None:
    from zoo.cli.commands.show import show

    assert plain_call(show, []) is None
    assert plain_call(show, ["yolox_nano"]) == {"name": "yolox_nano"}


def test_parameters_that_are_not_plain_are_left_to_typer() -> None:
    def command(often: Annotated[int, typer.Option()] = 1) -> None: ...

    assert plain_call(command, ["--often", "3"]) is None


@pytest.mark.parametrize(
    "words", [["--where", "AP > 99"], ["fasterrcnn_*", "--json"], ["yolox_nano"]]
)
def test_the_short_cut_and_typer_give_the_same(shell: Shell, words: list[str]) -> None:
    long_way = CliRunner().invoke(app(["list"]), ["list", *words])
    short_cut = shell("list", *words)
    assert (long_way.stdout, long_way.stderr, long_way.exit_code) == (
        short_cut.out,
        short_cut.err,
        short_cut.code,
    )
