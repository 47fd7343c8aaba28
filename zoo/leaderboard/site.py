"""The page: one HTML file with everything inside, which opens from a disk and asks no other host
for anything; see `zoo.pages`."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from zoo.leaderboard.table import Leaderboard
from zoo.pages import embedded as escaped
from zoo.pages import one_file

SCRIPTS = ("format.js", "chart.js", "scatter.js", "report.js", "table.js", "page.js")


def page(board: Leaderboard) -> str:
    """The whole page."""
    return one_file(
        "zoo.leaderboard", title=board.title, json=to_json(board).decode(), scripts=SCRIPTS
    )


def to_json(board: Leaderboard) -> bytes:
    """The whole leaderboard as JSON, without the replicates, which are in the entries."""
    return msgspec.json.encode(_light(board), order="sorted")


def embedded(board: Leaderboard) -> str:
    """JSON that can stand in an HTML page: nothing in it opens or closes a tag."""
    return escaped(to_json(board).decode())


def _light(board: Leaderboard) -> Leaderboard:
    tables = []
    for table in board.tables:
        lines = []
        for line in table.lines:
            report = replace(line.entry.report, resamplings=None)
            lines.append(replace(line, entry=msgspec.structs.replace(line.entry, report=report)))
        tables.append(replace(table, lines=tuple(lines)))
    return replace(board, tables=tuple(tables))
