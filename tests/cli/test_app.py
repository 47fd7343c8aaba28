"""The command `zoo` itself: help, version, mistakes, and the short cut past Typer."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

import zoo
from zoo.cli.app import COMMANDS, app
from zoo.cli.fast_path import plain_call
from zoo.cli.format import format_count, format_number, format_size, table

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


def broken_pipe(*words: str) -> tuple[int, str]:
    """The exit code and standard error of a command whose output nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "zoo", *words], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    return done.returncode, done.stderr


def test_usage_has_braces_only_where_there_is_a_choice_and_ranges_are_words(shell: Shell) -> None:
    assert shell("show", "--help").out.startswith("Usage: zoo show [OPTIONS] NAME\n")
    out = shell("detect", "--help").out
    assert out.startswith("Usage: zoo detect [OPTIONS] {IMAGE|FOLDER|GLOB|URL}...\n")
    assert "0 to 1" in out
    assert "at least 1" in out
    assert "x>=" not in out


@pytest.mark.parametrize(
    "words",
    [["list"], ["list", "--where=params < 1G"], ["--help"], ["show", "yolox_nano", "--json"]],
)
def test_a_reader_who_left_is_no_failure_to_speak_of(words: list[str]) -> None:
    assert broken_pipe(*words) == (141, "")


@pytest.mark.skipif(
    not os.path.exists("/dev/full"), reason="needs /dev/full, a disk that is always full"
)
@pytest.mark.parametrize("words", [["list"], ["--help"]])
def test_output_to_a_full_disk_is_a_sentence(words: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "zoo", *words], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr) == (
        1,
        "Error: Standard output can't be written: No space left on device.\n",
    )


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


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0.00M"),
        (910_000, "0.91M"),
        (9_994_999, "9.99M"),
        (34_014_999, "34.0M"),
        (99_960_000, "100M"),
        (1_200_000_000, "1.20B"),
    ],
)
def test_parameters_are_counted_in_millions(value: int | None, text: str) -> None:
    assert format_count(value) == text


def test_sizes_tell_edges_from_sides() -> None:
    assert format_size((800, 1333), "shortest_edge") == "800-1333"
    assert format_size((300, 300), "fixed") == "300"
    assert format_size((480, 640), "letterbox") == "480x640"
    assert format_size(None, None) == format_number(None) == "–"


def test_a_table_is_aligned() -> None:
    assert table(("a", "long"), [("x", "1"), ("yyy", "22")], right=("long",)) == [
        "a    long",
        "x       1",
        "yyy    22",
    ]
    assert table(("a", "b"), []) == ["a  b"]


def test_columns_that_do_not_fit_are_left_out_from_the_end() -> None:
    rows = [("yolox", "1", "coco"), ("ssd", "22", "voc")]
    assert table(("name", "AP", "labels"), rows, width=19) == [
        "name   AP  labels",
        "yolox  1   coco",
        "ssd    22  voc",
    ]
    assert table(("name", "AP", "labels"), rows, width=16) == [
        "name   AP …",
        "yolox  1",
        "ssd    22",
    ]
    assert table(("name", "AP", "labels"), rows, width=3) == ["name …", "yolox", "ssd"]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_a_listing_fits_the_terminal() -> None:
    terminal, inside = os.openpty()
    command = [sys.executable, "-m", "zoo", "list", "yolox_*"]
    subprocess.run(command, env=os.environ | {"COLUMNS": "60"}, stdout=inside, check=True)
    lines = os.read(terminal, 4096).decode().splitlines()
    os.close(inside)
    os.close(terminal)
    assert any(line.startswith("yolox_nano ") for line in lines)
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize("words", [["hub"], ["hub", "--help"]])
def test_the_first_word_of_a_command_of_two_shows_its_help(words: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "zoo", *words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: zoo hub serve")
