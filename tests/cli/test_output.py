"""The only way to standard output."""

import ast
import json
from pathlib import Path

import pytest

import zoo.cli
from zoo.cli import output

CLI = Path(zoo.cli.__file__).parent


def test_a_line_is_one_line_and_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.line("m.jpg\nforged.jpg  \x1b[31m\u202e2 boxes")
    assert capsys.readouterr().out == "m.jpg forged.jpg  \\x1b[31m\\u202e2 boxes\n"


def test_lines_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    output.lines(["a", "", output.Heading("b")])
    assert capsys.readouterr().out == "a\n\nb\n"


def test_json_means_the_same_and_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["\x9b31m", "\u202egpj.exe", "停车标志", "\x1b"]
    output.document(json.dumps(names, ensure_ascii=False))
    text = capsys.readouterr().out
    assert json.loads(text) == names
    assert text.rstrip("\n").isprintable()


def test_no_command_prints_past_it() -> None:
    for path in CLI.rglob("*.py"):
        calls = [
            node.func
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call)
        ]
        printing = [
            call
            for call in calls
            if ast.unparse(call) in ("typer.echo", "print", "typer.secho", "sys.stdout.write")
        ]
        assert not printing or path.stem in ("stderr", "output"), path
