"""What a command says on standard error: `Error:` or `Warning:` and a sentence, with advice in the shell's words."""

from __future__ import annotations

import re

import typer

from zoo.errors import ZooError

_VALUE = r"""("[^"]*"|'[^']*'|\w+(?:\.\w+)*)"""
_CALL = re.compile(r'zoo\.load\("([^"]+)"(?:, )?([^)]*)\)')
_KEYWORD = re.compile(rf"\b(weights|device|score|iou|max_boxes|batch_size|exif|on_error|backbone|neck|head)={_VALUE}")
_LABELS = re.compile(r"\blabels=\[([^]]*)\]")
_PART = re.compile(r"\b(backbone|neck|head)_arguments=\{([^}]*)\}")


def error(what: ZooError | str) -> None:
    """Says what went wrong."""
    _say("Error", "red", in_shell(str(what)))


def warning(what: ZooError | str) -> None:
    """Says what a user should know though the work goes on."""
    _say("Warning", "yellow", in_shell(str(what)))


def in_shell(text: str) -> str:
    """Advice for Python in the words of the command line: `weights="file:PATH"` is `--weights file:PATH`."""
    text = _CALL.sub(lambda call: f"zoo detect IMAGE --model {call[1]} {call[2]}".rstrip(), text)
    text = _LABELS.sub(lambda labels: "--labels " + re.sub(r"[\"' ]", "", labels[1]), text)
    text = _PART.sub(lambda part: _settings(part[1], part[2]), text)
    return _KEYWORD.sub(lambda pair: _option(pair[1], pair[2]), text)


def _option(name: str, value: str) -> str:
    word = value.strip("\"'")
    if name == "weights" and word == "False":
        word = "random"
    return f"--{name.replace('_', '-')} {word}"


def _settings(part: str, arguments: str) -> str:
    """`"channels": 256` of a neck as `--set neck.channels=256`."""
    pairs = re.findall(r"""['"](\w+)['"]: (\[[^]]*\]|[^,]+)""", arguments)
    return " ".join(f"--set {part}.{name}={value.strip().replace(' ', '')}" for name, value in pairs)


def _say(head: str, color: str, text: str) -> None:
    typer.secho(f"{head}: ", fg=color, bold=True, nl=False, err=True)
    typer.echo(text, err=True)
