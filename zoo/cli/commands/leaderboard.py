"""`zoo leaderboard`: builds the page of a board, and checks entries that others submit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.cli import output, stderr
from zoo.cli.evaluate_options import OnCluster
from zoo.cli.format import table
from zoo.cli.help import Command, Commands
from zoo.errors import DataError
from zoo.text import pluralize

if TYPE_CHECKING:
    from zoo.leaderboard import Finding, Leaderboard

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Compare models on one page, and check the entries of others.",
)


@app.command("build", cls=Command)
def build(
    board: Annotated[
        Path,
        typer.Argument(metavar="BOARD.yaml", help="What is compared: models, data sets, protocol."),
    ],
    to: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The folder for the page; it is made.")
    ] = Path("site"),
    runs: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where predictions are kept; else $ZOO_HOME/runs."),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Run, measure and time everything again, whatever is kept."),
    ] = False,
    cluster: OnCluster = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 where the checks find something.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write leaderboard.json to standard output, too.")
    ] = False,
) -> None:
    """Run what is missing, check everything, and write index.html, leaderboard.md, leaderboard.json
    and the entries.

    A build that was cut short goes on where it was. The exit code is 1 where a row is in no table:
    its model could not be measured, its entry not be read, or the checks keep it out.
    """
    from zoo.leaderboard import build as build_board

    options: dict[str, Any] = {"runs": runs, "fresh": fresh, "cluster": cluster}
    leaderboard = build_board(board, to=to, say=lambda text: output.line(text, err=True), **options)
    if as_json:
        output.document((to / "leaderboard.json").read_text(encoding="utf-8"), end=False)
    else:
        output.lines(_overview(leaderboard))
    _print_remarks(leaderboard, to)
    raise typer.Exit(
        int(
            bool(leaderboard.failures)
            or bool(leaderboard.left_out)
            or (strict and bool(leaderboard.findings))
        )
    )


def _print_remarks(leaderboard: Leaderboard, to: Path) -> None:
    """Prints to standard error the findings, the path of the page, and the models in no table."""
    for finding in leaderboard.findings:
        output.line(f"{finding.check}: {finding}", err=True)
    output.line(f"The page: {to / 'index.html'}", err=True)
    for name in leaderboard.left_out:
        output.line(f"In no table: {name}", err=True)
    for failure in leaderboard.failures:
        output.line(f"Not measured: {failure}", err=True)
    if not leaderboard.tables:
        output.line("No table has a row.", err=True)


@app.command("check", cls=Command)
def check(
    entries: Annotated[
        list[Path],
        typer.Argument(metavar="ENTRY.json…", help="Entries, taken together.", show_default=False),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Say what is wrong in entries, taken together: wrong claims, copies, mixed settings, missing
    provenance …

    The exit code is 0 where nothing is, 1 where something is, and 10 where a file can't be read.
    """
    from zoo.leaderboard import Entry
    from zoo.leaderboard import check as check_entries

    read: list[Entry] = []
    broken: list[DataError] = []
    for path in entries:
        try:
            read.append(Entry.read(path))
        except DataError as error:
            broken.append(error)
    findings = check_entries(read)
    if as_json:
        files = [
            {"failure": error.failure, "case": error.case, "fix": error.fix} for error in broken
        ]
        output.document(
            json.dumps(
                {"findings": [asdict(finding) for finding in findings], "unreadable": files},
                indent=2,
            )
        )
    else:
        _print(findings, broken, len(read))
    raise typer.Exit(DataError.exit_code if broken else int(bool(findings)))


def _print(findings: Sequence[Finding], broken: Sequence[DataError], count: int) -> None:
    for finding in findings:
        output.line(f"{finding.check}: {finding}")
    for error in broken:
        stderr.error(error)
    output.line(
        f"{pluralize(count, 'entry', 'entries')}, {pluralize(len(findings), 'finding')}.", err=True
    )


def _overview(leaderboard: Leaderboard) -> list[str]:
    """The main columns of each table, as lines for a terminal."""
    from zoo.leaderboard.entry import RANDOM
    from zoo.leaderboard.markdown import ranks, without_empty_columns

    page: list[str] = []
    for ranking in leaderboard.tables:
        rows = []
        for line in ranking.lines:
            numbers, interval, timing = (
                line.entry.report.numbers,
                line.entry.report.intervals.get("AP"),
                line.entry.timing,
            )
            ap = numbers.get("AP")
            rows.append(
                (
                    ranks(line),
                    line.entry.name
                    + (" (random weights)" if line.entry.model.weights.source == RANDOM else ""),
                    "–" if ap is None else f"{100 * ap:.1f}",
                    f"{100 * interval.low:.1f} to {100 * interval.high:.1f}" if interval else "–",
                    f"{timing.median_ms:.1f}" if timing else "–",
                    str(len(line.findings) or ""),
                )
            )
        header, shown_rows = without_empty_columns(
            ("rank", "model", "AP", "95 %", "ms", "checks"), rows
        )
        page += [
            *([""] if page else []),
            ranking.data,
            *table(header, shown_rows, right=("AP", "ms", "checks")),
        ]
    return page
