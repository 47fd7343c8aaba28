"""The page: one HTML file with everything inside, which opens from a disk and asks no other host
for anything.

What others wrote reaches the page as JSON only, and the scripts set it as text, never as mark-up.
The page's own policy allows the scripts that are written into it, by their hash, and no others.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from dataclasses import replace
from importlib.resources import files

import msgspec

from zoo.leaderboard.table import Leaderboard

SCRIPTS = ("element.js", "format.js", "chart.js", "scatter.js", "report.js", "table.js", "page.js")
HIDDEN = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def page(board: Leaderboard) -> str:
    """The whole page."""
    script = "\n".join(_template(name) for name in SCRIPTS)
    parts = {
        "TITLE": html.escape(board.title),
        "SCRIPT_HASH": _hash(script),
        "STYLE": _template("page.css"),
        "SCRIPT": script,
        "DATA": embedded(board),
    }
    return re.sub("@([A-Z_]+)@", lambda mark: parts[mark[1]], _template("page.html"))


def to_json(board: Leaderboard) -> bytes:
    """The whole leaderboard as JSON, without the replicates, which are in the entries."""
    return msgspec.json.encode(_light(board), order="sorted")


def embedded(board: Leaderboard) -> str:
    """JSON that can stand in an HTML page: nothing in it opens or closes a tag."""
    text = to_json(board).decode()
    for character, written in HIDDEN.items():
        text = text.replace(character, written)
    return text


def _light(board: Leaderboard) -> Leaderboard:
    tables = []
    for table in board.tables:
        lines = []
        for line in table.lines:
            report = replace(line.entry.report, resamplings=None)
            lines.append(replace(line, entry=msgspec.structs.replace(line.entry, report=report)))
        tables.append(replace(table, lines=tuple(lines)))
    return replace(board, tables=tuple(tables))


def _template(name: str) -> str:
    return files("zoo.leaderboard").joinpath("template", name).read_text("utf-8").rstrip("\n")


def _hash(script: str) -> str:
    """As a content security policy names a script; the script is what stands between its tags."""
    return "sha256-" + base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode()
