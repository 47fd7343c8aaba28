"""The command `zoo`: the table of commands, and the handling of errors, warnings and interrupts.

To add a command: write `zoo/cli/commands/NAME.py` with one function whose parameters are Typer's
(its docstring is the help, its heavy imports are inside), or a Typer app of several, and add it to
COMMANDS, where a name may have two words. Only the command that runs is imported, unless help lists
them all.

Exit codes: 0 success · 1 part of the work failed · 2 usage · 130 interrupted · 141 the reader
closed the output · and those of `zoo.errors`.
"""

from __future__ import annotations

import gc
import io
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated, TextIO

import typer

from zoo import environment
from zoo.cli import backends, output, stderr
from zoo.cli.fast_path import plain_call
from zoo.cli.help import Command, Commands, narrow_width
from zoo.cli.interrupt import INTERRUPTED
from zoo.cli.leave import exit_if_output_ended, leave_threads
from zoo.errors import UsageError, ZooError, made_of
from zoo.printable import printable
from zoo.registry import PluginWarning
from zoo.registry.plugin_calls import left_running
from zoo.registry.plugin_messages import Interrupted
from zoo.suggest import close_matches

# name -> (heading in the help, MODULE:FUNCTION)
COMMANDS: dict[str, tuple[str, str]] = {
    "list": ("Find a model", "zoo.cli.commands.list:list_models"),
    "show": ("Find a model", "zoo.cli.commands.show:show"),
    "detect": ("Use it", "zoo.cli.commands.detect:detect"),
    "video": ("Use it", "zoo.cli.commands.video:video"),
    "serve": ("Use it", "zoo.cli.commands.serve:serve"),
    "data": ("Prepare data", "zoo.cli.commands.data:app"),
    "train": ("Train and publish", "zoo.cli.commands.train:train"),
    "export": ("Train and publish", "zoo.cli.commands.export:export"),
    "push": ("Train and publish", "zoo.cli.commands.push:push"),
    "evaluate": ("Measure", "zoo.cli.commands.evaluate:evaluate"),
    "predict": ("Measure", "zoo.cli.commands.predict:predict"),
    "compare": ("Measure", "zoo.cli.commands.compare:compare"),
    "benchmark": ("Measure", "zoo.cli.commands.benchmark:benchmark"),
    "leaderboard": ("Measure", "zoo.cli.commands.leaderboard:app"),
    "pull": ("Keep weights", "zoo.cli.commands.pull:pull"),
    "verify": ("Keep weights", "zoo.cli.commands.verify:verify"),
    "lock": ("Keep weights", "zoo.cli.commands.lock:lock"),
    "bundle": ("Keep weights", "zoo.cli.commands.bundle:bundle"),
    "compose": ("Extend the zoo", "zoo.cli.commands.compose:compose"),
    "plugins": ("Extend the zoo", "zoo.cli.commands.plugins:plugins"),
    "plugins new": ("Extend the zoo", "zoo.cli.commands.new_plugin:new_plugin"),
    "check": ("Extend the zoo", "zoo.cli.commands.check:check"),
    "hub serve": ("Extend the zoo", "zoo.cli.commands.hub_serve:serve"),
}
LISTINGS = ("list", "show", "plugins")


def main() -> None:
    """Runs the command line of this process and exits."""
    code: object = 1
    thresholds = gc.get_threshold()
    # Importing torch creates a million objects and frees few. Collecting garbage after every 700 of
    # them takes a third of a second, and the last collection before the process ends a whole one.
    gc.set_threshold(50_000, *thresholds[1:])
    try:
        _main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
        raise
    except BaseException:
        if left_running():  # `leave_threads` ends the process before Python prints the traceback
            traceback.print_exc()
        raise
    finally:
        gc.set_threshold(*thresholds)
        gc.freeze()
        leave_threads(code if isinstance(code, int) else 1)


def _main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # a character that the terminal's encoding lacks becomes `?`
            stream.reconfigure(errors="replace")
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        warnings.simplefilter("always", PluginWarning)
        try:
            _run_and_flush(sys.argv[1:])
        except ZooError as error:
            _show_error(error)
            sys.exit(error.exit_code)
        except KeyboardInterrupt as interrupt:
            _name_interrupted_plugin(interrupt)
            sys.exit(INTERRUPTED)
        except (OSError, SystemExit) as end:
            # Typer turns a broken pipe into SystemExit
            exit_if_output_ended(end if isinstance(end, OSError) else end.__context__)
            _name_interrupted_plugin(end)
            raise


def _name_interrupted_plugin(error: BaseException | None) -> None:
    """Prints which plugin was interrupted, if one was."""
    for cause in made_of(error):
        if isinstance(cause, Interrupted):
            return stderr.error(str(cause))


def _run_and_flush(arguments: Sequence[str]) -> None:
    """Runs a command and flushes its output, so that a broken pipe is raised here and not when
    Python ends."""
    try:
        _run(arguments)
    finally:
        sys.stdout.flush()


def _run(arguments: Sequence[str]) -> None:
    if (two_words := " ".join(arguments[:2])) in COMMANDS:
        arguments = [two_words, *arguments[2:]]
    elif mistake := _unknown_second_word(arguments):
        raise mistake
    elif arguments[1:] in ([], ["--help"], ["-h"]):  # perhaps the first word of `hub serve`
        commands = [
            name
            for name in COMMANDS
            if arguments and name.startswith(f"{arguments[0]} ") and arguments[0] not in COMMANDS
        ]
        arguments = [commands[0], "--help"] if commands else arguments
    if arguments and arguments[0] in LISTINGS:
        function = _function(arguments[0])
        if (
            not isinstance(function, typer.Typer)
            and (call := plain_call(function, arguments[1:])) is not None
        ):
            # a listing allocates much and frees little, so that collecting garbage only slows it
            gc.disable()
            try:
                return function(**call)
            finally:
                gc.enable()
    _log_as_warnings()
    backends.skip_if_damaged()
    app(arguments)(arguments, prog_name="zoo")


def _unknown_second_word(arguments: Sequence[str]) -> UsageError | None:
    """The error for an unknown second word of a command of two words; None if there is none."""
    first, second = (*arguments, "", "")[:2]
    second_words = [name.partition(" ")[2] for name in COMMANDS if name.startswith(f"{first} ")]
    if not second_words or not second or second.startswith("-"):
        return None
    suggestions = close_matches(second, second_words, most=1)
    commands = " and ".join(f"zoo {first} {word}" for word in second_words)
    fix = f"Did you mean zoo {first} {suggestions[0]}?" if suggestions else "See zoo --help."
    return UsageError(f"No command 'zoo {first} {second}'.", f"There is {commands}.", fix)


def _log_as_warnings() -> None:
    """Prints log records of libraries as warnings on standard error, unless logging is set up."""
    import logging  # deferred: a listing logs nothing

    class Sentence(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return printable(super().format(record))

    if logging.lastResort:
        logging.lastResort.setFormatter(Sentence("Warning: %(message)s"))


class _AllCommands(Commands):
    """All commands in the order of COMMANDS; Typer itself lists groups of commands last."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # Typer's Context is what it is given
        present = set(super().list_commands(ctx))
        return [name for name in COMMANDS if name in present]


def app(arguments: Sequence[str]) -> typer.Typer:
    """The command line for these arguments: only the command that they name, or all commands if
    they name none."""
    command_line = typer.Typer(
        cls=_AllCommands,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"terminal_width": narrow_width(), "help_option_names": ["--help", "-h"]},
    )
    command_line.callback()(_zoo)
    names = arguments[:1] if arguments and arguments[0] in COMMANDS else COMMANDS
    for name in names:
        command = _function(name)
        if isinstance(command, typer.Typer):  # a group of commands
            command_line.add_typer(command, name=name, rich_help_panel=COMMANDS[name][0])
        else:
            command_line.command(name, cls=Command, rich_help_panel=COMMANDS[name][0])(command)
    return command_line


def _function(command: str) -> Callable[..., None] | typer.Typer:
    module, _, name = COMMANDS[command][1].partition(":")
    function: Callable[..., None] | typer.Typer = getattr(import_module(module), name)
    return function


def _version(requested: bool) -> None:
    if requested:
        from zoo import __version__

        output.line(f"detzoo {__version__}")
        raise typer.Exit


def _zoo(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Pick any object detector by name, and run it on images."""


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001  # the signature is that of warnings.showwarning
    line: str | None = None,
) -> None:
    """Prints warnings of the zoo as one sentence, others in Python's format."""
    if category.__module__.partition(".")[0] == "zoo":
        stderr.warning(str(message))
    else:
        output.lines(
            warnings.formatwarning(message, category, filename, lineno, line)
            .rstrip("\n")
            .split("\n"),
            err=True,
        )


def _show_error(error: ZooError) -> None:
    if environment.shows_tracebacks():
        traceback.print_exception(error)
    else:
        stderr.error(error)
