"""The page: one HTML file with everything inside, which opens from a disk and asks no other host
for anything; see `zoo.pages`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from zoo.leaderboard.table import Leaderboard
from zoo.pages import one_file

DECIMALS = 5  # of shares, in the page
_REPORT = ("numbers", "intervals", "curves", "measured", "provenance")
_CLASS = ("boxes", "ap", "ap50", "recall")
SCRIPTS = ("format.js", "chart.js", "scatter.js", "report.js", "table.js", "page.js")


def page(board: Leaderboard) -> str:
    """The whole page."""
    json = msgspec.json.encode(page_data(board)).decode()
    return one_file("zoo.leaderboard", title=board.title, json=json, scripts=SCRIPTS)


def to_json(board: Leaderboard) -> bytes:
    """The whole leaderboard as JSON, without the replicates, which are in the entries."""
    return msgspec.json.encode(_light(board), order="sorted")


def page_data(board: Leaderboard) -> dict[str, Any]:
    """The part of a board that the page shows, about a tenth. The curve of each class, for one, is
    in `leaderboard.json` and the entry."""
    data: dict[str, Any] = msgspec.to_builtins(_light(board), order="sorted")
    for table in data["tables"]:
        table["pairs"]["reach"] = _rounded(table["pairs"]["reach"])
        for line in table["lines"]:
            line["entry"]["report"] = _rounded(_report(line["entry"]["report"]))
    return data


def _report(report: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a report that the page shows."""
    classes = report["per_class"].items()
    parts = {name: report[name] for name in _REPORT}
    parts["per_class"] = {name: {key: numbers[key] for key in _CLASS} for name, numbers in classes}
    analyses = report["analyses"]
    parts["analyses"] = analyses and {
        "mistakes": {"kinds": analyses["mistakes"]["kinds"]},
        "operating": analyses["operating"],
        "calibration": analyses["calibration"] and {"d_ece": analyses["calibration"]["d_ece"]},
    }
    return parts


def _rounded(value: Any) -> Any:
    """The same with fewer decimals."""
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, list | tuple) else value


def _light(board: Leaderboard) -> Leaderboard:
    tables = []
    for table in board.tables:
        lines = []
        for line in table.lines:
            report = replace(line.entry.report, resamplings=None)
            lines.append(replace(line, entry=msgspec.structs.replace(line.entry, report=report)))
        tables.append(replace(table, lines=tuple(lines)))
    return replace(board, tables=tuple(tables))
