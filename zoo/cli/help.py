"""How help looks: commands under their headings, each with its whole first sentence; arguments and
options in two columns."""

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

LONGEST = 1000  # a first sentence is never cut
PLACES = ("FILE", "FOLDER", "OUT", "coco:FILE")
WHOLE = ("COUNT", "NUMBER", "PORT")  # what stands for a number without a fraction
_RANGE = re.compile(r"at least (?P<least>[\d.]+)|([\d.]+) to [\d.]+")
LEAST = 52  # columns below which Click's help would leave the terminal


class Formatter(Protocol):
    """The formatter of help: Click's, which some versions of Typer bring and others import."""

    def section(self, name: str) -> AbstractContextManager[None]: ...

    def write_dl(self, rows: Sequence[tuple[str, str]]) -> None: ...

    def write_text(self, text: str) -> None: ...


class Command(TyperCommand):
    """One command; arguments are called what they stand for, in capitals."""

    def __init__(self, *arguments: object, **settings: object) -> None:
        super().__init__(*arguments, **settings)  # type: ignore[arg-type]
        for param in self.params:
            if param.param_type_name == "argument" and param.metavar is None and param.name:
                param.metavar = param.name.upper()

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:  # type: ignore[override]  # Typer's Context is what it is given
        """Refuses an option that is given twice where the last one would silently win."""
        if not ctx.resilient_parsing:
            typed, _, order = self.make_parser(ctx).parse_args(args=list(args))
            _check_places(typed, order)
            for parameter, count in Counter(order).items():
                if count > 1 and parameter.param_type_name == "option" and not parameter.multiple:
                    case = "It is given more than once, and takes one value."
                    fix = "Leave all but one of them out."
                    raise UsageError(f"{parameter.opts[0]} was given.", case, fix)
            return self._parsed(ctx, args, typed)
        return super().parse_args(ctx, args)

    def _parsed(self, ctx: Context, args: list[str], typed: Mapping[str, object]) -> list[str]:
        """Says in our words what an option takes that is given something else."""
        try:
            return super().parse_args(ctx, args)
        except BadParameter as error:
            parameter = error.param
            given = typed.get(getattr(parameter, "name", None) or "")
            if (
                parameter is None
                or parameter.param_type_name != "option"
                or not isinstance(given, str)
            ):
                raise
            if (said := _takes(parameter, ctx)) is None:
                raise
            raise UsageError(f"{parameter.opts[0]} '{given:.40}' was given.", *said) from None

    def collect_usage_pieces(self, ctx: Context) -> list[str]:  # type: ignore[override]  # Typer's Context is what it is given
        """As every manual page has it: `NAME`, `[PATTERN]`; braces only where there is a choice."""
        pieces: list[str] = super().collect_usage_pieces(ctx)
        return [
            piece if "|" in piece else piece.replace("{", "").replace("}", "") for piece in pieces
        ]

    def format_options(self, ctx: Context, formatter: Formatter) -> None:  # type: ignore[override]  # Typer's Context is what it is given
        """The arguments that have something to say, then the options."""
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
        """Whole command lines, where there are some."""
        if examples := EXAMPLES.get(ctx.command_path.partition(" ")[2]):
            with formatter.section("Examples"):
                for line in examples:
                    formatter.write_text(line)


class Commands(TyperGroup):
    """All commands."""

    def format_commands(self, ctx: Context, formatter: Formatter) -> None:  # type: ignore[override]  # Typer's Context is what it is given
        """A section for each heading, in the order in which commands were added."""
        headings: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            if command := self.get_command(ctx, name):
                heading = str(getattr(command, "rich_help_panel", None) or "Commands")
                headings.setdefault(heading, []).append((name, command.get_short_help_str(LONGEST)))
        widest = max(len(name) for rows in headings.values() for name, _ in rows)
        for heading, rows in headings.items():
            with formatter.section(heading):
                formatter.write_dl([(f"{name:{widest}}", said) for name, said in rows])


def _takes(option: Any, ctx: Context) -> tuple[str, str] | None:
    """The values of an option and an example, if it takes a few words or a number; else None."""
    name, metavar = option.opts[0], option.metavar or ""
    words = metavar.split("|")
    if len(words) > 1 and all(word.islower() for word in words):
        return f"It is one of {', '.join(words)}.", f"Write for example {name} {words[0]}"
    match = _RANGE.search(_in_words((option.get_help_record(ctx) or ("", ""))[1]))
    if match is None:
        return None
    kind = "whole number" if metavar in WHOLE else "number"
    default = (
        option.default if isinstance(option.default, int | float) else match["least"] or match[2]
    )
    return f"It is a {kind}, {match[0]}.", f"Write for example {name} {default}"


def _check_places(typed: Mapping[str, object], order: Sequence[Any]) -> None:
    """Refuses an option that names a file or folder and is given nothing, as by `--json=`.

    It would mean this folder. Raises: UsageError.
    """
    for parameter in order:
        given = typed.get(parameter.name or "")
        if (
            parameter.param_type_name == "option"
            and parameter.metavar in PLACES
            and isinstance(given, str)
            and not given.strip()
        ):
            case = "It names no file or folder: nothing is given after it."
            fix = f"Write {parameter.opts[0]} {parameter.metavar}, or leave it out."
            raise UsageError(f"{parameter.opts[0]} '' was given.", case, fix)


def _in_words(said: str) -> str:
    """Ranges as people say them: `0<=x<=1` is `0 to 1`, `x>=1` is `at least 1`."""
    return re.sub(
        r"x>=([\d.]+)", r"at least \1", re.sub(r"([\d.]+)<=x<=([\d.]+)", r"\1 to \2", said)
    )


def narrow() -> int | None:
    """The width of help in a terminal that is narrower than Click believes any to be; else None,
    and Click's own."""
    columns = get_terminal_size().columns
    return max(columns - 1, 30) if columns < LEAST else None
