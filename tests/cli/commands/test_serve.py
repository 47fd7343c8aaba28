"""`zoo serve`: mistakes are told before a model is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from zoo.cli.app import app
from zoo.errors import NameNotFound, UsageError


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["yolox_pico", "--max-megabytes", "0"], "max_megabytes=0"),
        (["yolox_pico", "--limit", "x=1"], "--limit"),
        (["yolox_pico", "--token-file", "missing"], "--token-file"),
        (["yolox_pico", "cells_nano", "--weights", "random"], "several models"),
        (["yolox_pico", "--host", "192.0.2.1", "--port", "0"], "192.0.2.1"),
    ],
)
def test_a_mistake_is_told(arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(app(["serve"]), ["serve", *arguments])
    assert isinstance(result.exception, UsageError)
    assert says in str(result.exception)


def test_a_model_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(app(["serve"]), ["serve", "yolox_pica"])
    assert isinstance(result.exception, NameNotFound)
