"""A leaderboard as Markdown: a table a data set, for a README or a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from zoo.leaderboard.entry import RANDOM, Timing
from zoo.leaderboard.table import NUMBERS, Leaderboard, Line, Table
from zoo.printable import printable
from zoo.text import pluralize

UNKNOWN = "–"
ALWAYS = 3  # columns that every table has: rank, model and AP
HEADER = (
    "Rank", "Model", "AP", "95 %", "AP50", "AP75", "APs", "APm", "APl", "Params (M)", "GFLOPs",
    "Median (ms)", "p95 (ms)", "Memory (MB)", "Weights (MB)", "Licence", "Claimed AP", "Difference",
)  # fmt: skip


def markdown(board: Leaderboard) -> str:
    """The whole page as text."""
    return "\n".join(_lines(board)).rstrip() + "\n"


def _lines(board: Leaderboard) -> Iterator[str]:
    yield from (f"# {escape(board.title)}", "")
    if board.summary:
        yield from (escape(board.summary), "")
    for table in board.tables:
        yield from _table(table)
    settings = ", ".join(f"{name} {value}" for name, value in board.settings.items())
    with_settings = (
        f"Protocol: {board.protocol} ({escape(settings)})"
        if settings
        else f"Protocol: {board.protocol}"
    )
    yield from (f"{with_settings}. Made {board.made} by detzoo {board.version}.", "")
    yield (
        "A rank is the places that a model may have: all before them are significantly better, all "
        "behind them worse (paired bootstrap, adjusted for all comparisons, 95 %)."
    )
    yield from _list(
        "What the checks found", [f"{finding.check}: {finding}" for finding in board.findings]
    )
    yield from _list("In no table, because of what the checks found", board.left_out)
    yield from _list("Not measured", list(map(str, board.failures)))


def _table(table: Table) -> Iterator[str]:
    yield from (f"## {escape(table.data)}", "")
    timed = escape(table.hardware or "not measured")
    size = f"{pluralize(table.images, 'image')}, {pluralize(table.boxes, 'box', 'boxes')}"
    yield f"{size}, sha256 {table.sha256[:12]}…. Latency: {timed}."
    header, rows = without_empty_columns(HEADER, [tuple(_cells(line)) for line in table.lines])
    yield from (
        "",
        _row(header),
        _row(["---:" if name not in ("Model", "Licence") else "---" for name in header]),
    )
    yield from map(_row, rows)
    yield ""


def without_empty_columns(
    header: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows without the columns in which nothing is known of any row.

    Rank, model and AP always stay.
    """
    columns = [
        at
        for at in range(len(header))
        if at < ALWAYS or any(row[at] not in (UNKNOWN, "") for row in rows)
    ]
    return tuple(header[at] for at in columns), [tuple(row[at] for at in columns) for row in rows]


def _cells(line: Line) -> Iterator[str]:
    model, numbers = line.entry.model, line.entry.report.numbers
    interval = line.entry.report.intervals.get("AP")
    yield ranks(line)
    yield (
        escape(model.name)
        + (" (random weights)" if model.weights.source == RANDOM else "")
        + _engine(line)
        + (" ⚠" if line.findings else "")
    )
    yield _number(numbers.get("AP"), 100)
    yield f"{100 * interval.low:.1f} to {100 * interval.high:.1f}" if interval else UNKNOWN
    yield from (_number(numbers.get(name), 100) for name in NUMBERS[1:])
    yield _number(model.parameters, 1e-6, digits=2)
    yield from _costs(line.entry.timing, line.elsewhere)
    yield _number(model.weights.bytes, 1e-6)
    yield escape(license_of(line))
    elsewhere = f" on {escape(line.claim.dataset)}" if line.claim and line.gap is None else ""
    yield f"{line.claim.value:g}{elsewhere}" if line.claim else UNKNOWN
    yield UNKNOWN if line.gap is None else f"{line.gap:+.1f}"


def _engine(line: Line) -> str:
    """The engine of a row, where its name does not say it."""
    engine = line.entry.engine
    return f" ({escape(engine)})" if engine and engine not in line.entry.name else ""


def _costs(timing: Timing | None, elsewhere: str | None) -> list[str]:
    if timing is None:
        return [UNKNOWN] * 4
    return [
        _number(timing.gflops, digits=2),
        _number(timing.median_ms) + (f" (on {escape(elsewhere)})" if elsewhere else ""),
        _number(timing.p95_ms),
        _number(timing.peak_mb, digits=0),
    ]


def ranks(line: Line) -> str:
    """`2`, or `2–3` for a model that may be second or third."""
    return (
        "–".join(dict.fromkeys([str(line.ranks[0]), str(line.ranks[-1])]))
        if line.ranks
        else UNKNOWN
    )


def license_of(line: Line) -> str:
    """One licence where code and weights have the same, else `code / weights`."""
    code, weights = (
        name or UNKNOWN
        for name in (line.entry.model.licenses.code, line.entry.model.licenses.weights)
    )
    return code if code == weights else f"{code} / {weights}"


def escape(text: str) -> str:
    """Text that stays text: no mark-up, link, mention or table cell of somebody else's making.

    Renderers turn bare addresses into links and `@name` into a message to that person, escape or
    not; an empty space after the sign, which is not seen, keeps them from it.
    """
    marked = re.sub(r"([\\`*_{}\[\]<>#|~!&])", r"\\\1", " ".join(printable(text).split()))
    return re.sub(
        r"@|:(?=//)|\bwww\.|\bmailto:|\bxmpp:",
        lambda sign: f"{sign[0]}&#8203;",
        marked,
        flags=re.IGNORECASE,
    )


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float | None, scale: float = 1.0, *, digits: int = 1) -> str:
    return UNKNOWN if value is None else f"{value * scale:.{digits}f}"


def _list(title: str, items: Iterable[str]) -> Iterator[str]:
    listed = list(items)
    if listed:
        yield from ("", f"## {title}", "", *(f"- {escape(item)}" for item in listed))
