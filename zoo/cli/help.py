"""The layout of help: commands under headings, each with its whole first sentence; arguments and
options in two columns. Also words errors about options."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from shutil import get_terminal_size
from typing import Any, Protocol

from typer import BadParameter, Context
from typer.core import TyperCommand, TyperGroup

from zoo.cli.examples import EXAMPLES
from zoo.errors import UsageError

MAX_SUMMARY_LETTERS = 1000  # so that Click never cuts a first sentence
PATH_METAVARS = ("FILE", "FOLDER", "OUT", "coco:FILE")
WHOLE_NUMBER_METAVARS = ("COUNT", "NUMBER", "PORT")
_RANGE = re.compile(r"at least (?P<least>[\d.]+)|([\d.]+) to [\d.]+")
MIN_CLICK_COLUMNS = 52  # in a narrower terminal, lines of Click's help would be too long


class Formatter(Protocol):
    """Click's help formatter; depending on its version, Typer imports Click or contains it."""

    def section(self, name: str) -> AbstractContextManager[None]: ...

    def write_dl(self, rows: Sequence[tuple[str, str]]) -> None: ...

    def write_text(self, text: str) -> None: ...


class Command(TyperCommand):
    """One command; its arguments are shown in capitals."""

    def __init__(self, *arguments: object, **settings: object) -> None:
        super().__init__(*arguments, **settings)  # type: ignore[arg-type]
        for param in self.params:
            if param.param_type_name == "argument" and param.metavar is None and param.name:
                param.metavar = param.name.upper()

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:  # type: ignore[override]  # Typer's Context is what it is given
        """Refuses an option that is given twice, of which Click would silently take the last."""
        if not ctx.resilient_parsing:
            typed, _, order = self.make_parser(ctx).parse_args(args=list(args))
            _check_paths_given(typed, order)
            for parameter, count in Counter(order).items():
                if count > 1 and parameter.param_type_name == "option" and not parameter.multiple:
                    case = "It is given more than once, and takes one value."
                    fix = "Leave all but one of them out."
                    raise UsageError(f"{parameter.opts[0]} was given.", case, fix)
            return self._parse(ctx, args, typed)
        return super().parse_args(ctx, args)

    def _parse(self, ctx: Context, args: list[str], typed: Mapping[str, object]) -> list[str]:
        """Parses the arguments; errors name the values that an option takes."""
        try:
            return super().parse_args(ctx, args)
        except BadParameter as error:
            parameter = error.param
            value = typed.get(getattr(parameter, "name", None) or "")
            if (
                parameter is None
                or parameter.param_type_name != "option"
                or not isinstance(value, str)
            ):
                raise
            if (advice := _takes(parameter, ctx)) is None:
                raise
            raise UsageError(f"{parameter.opts[0]} '{value:.40}' was given.", *advice) from None

    def collect_usage_pieces(self, ctx: Context) -> list[str]:  # type: ignore[override]  # Typer's Context is what it is given
        """The usage as in manual pages: `NAME`, `[PATTERN]`; braces only round a choice."""
        pieces: list[str] = super().collect_usage_pieces(ctx)
        return [
            piece if "|" in piece else piece.replace("{", "").replace("}", "") for piece in pieces
        ]

    def format_options(self, ctx: Context, formatter: Formatter) -> None:  # type: ignore[override]  # Typer's Context is what it is given
        """Writes the arguments that have a help text, then the options."""
        rows: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
        for param in self.get_params(ctx):
            if record := param.get_help_record(ctx):
                argument = param.param_type_name == "argument"
                rows[param.param_type_name].append(
                    (param.metavar or "" if argument else record[0], _in_words(record[1]))
                )
        for heading, kind in (("Arguments", "argument"), ("Options", "option")):
            if rows[kind]:
                with formatter.section(heading):
                    formatter.write_dl(rows[kind])

    def format_epilog(self, ctx: Context, formatter: Formatter) -> None:  # type: ignore[override]  # Typer's Context is what it is given
        """Writes the command's examples, if it has any."""
        if examples := EXAMPLES.get(ctx.command_path.partition(" ")[2]):
            with formatter.section("Examples"):
                for line in examples:
                    formatter.write_text(line)


class Commands(TyperGroup):
    """A group of commands, under the headings of their help panels."""

    def format_commands(self, ctx: Context, formatter: Formatter) -> None:  # type: ignore[override]  # Typer's Context is what it is given
        """Writes a section per heading, in the order in which commands were added."""
        headings: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            if command := self.get_command(ctx, name):
                heading = str(getattr(command, "rich_help_panel", None) or "Commands")
                headings.setdefault(heading, []).append(
                    (name, command.get_short_help_str(MAX_SUMMARY_LETTERS))
                )
        widest = max(len(name) for rows in headings.values() for name, _ in rows)
        for heading, rows in headings.items():
            with formatter.section(heading):
                formatter.write_dl([(f"{name:{widest}}", summary) for name, summary in rows])


def _takes(option: Any, ctx: Context) -> tuple[str, str] | None:
    """A sentence on the values of an option and an example, if it takes one of a few words or a
    number in a range; else None."""
    name, metavar = option.opts[0], option.metavar or ""
    words = metavar.split("|")
    if len(words) > 1 and all(word.islower() for word in words):
        return f"It is one of {', '.join(words)}.", f"Write for example {name} {words[0]}"
    match = _RANGE.search(_in_words((option.get_help_record(ctx) or ("", ""))[1]))
    if match is None:
        return None
    kind = "whole number" if metavar in WHOLE_NUMBER_METAVARS else "number"
    default = (
        option.default if isinstance(option.default, int | float) else match["least"] or match[2]
    )
    return f"It is a {kind}, {match[0]}.", f"Write for example {name} {default}"


def _check_paths_given(typed: Mapping[str, object], order: Sequence[Any]) -> None:
    """Raises: UsageError for an empty path, as in `--json=`, which would mean this folder."""
    for parameter in order:
        value = typed.get(parameter.name or "")
        if (
            parameter.param_type_name == "option"
            and parameter.metavar in PATH_METAVARS
            and isinstance(value, str)
            and not value.strip()
        ):
            case = "It names no file or folder: nothing is given after it."
            fix = f"Write {parameter.opts[0]} {parameter.metavar}, or leave it out."
            raise UsageError(f"{parameter.opts[0]} '' was given.", case, fix)


def _in_words(text: str) -> str:
    """Ranges in words: `0<=x<=1` becomes `0 to 1`, `x>=1` becomes `at least 1`."""
    return re.sub(
        r"x>=([\d.]+)", r"at least \1", re.sub(r"([\d.]+)<=x<=([\d.]+)", r"\1 to \2", text)
    )


def narrow_width() -> int | None:
    """The width of help in a terminal below Click's minimum; else None, for Click's own width."""
    columns = get_terminal_size().columns
    return max(columns - 1, 30) if columns < MIN_CLICK_COLUMNS else None
