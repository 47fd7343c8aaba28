"""How one fact is written in a terminal; an unknown one is a dash, never a guess."""

from __future__ import annotations

from functools import cache

UNKNOWN = "–"


def format_text(value: str | None) -> str:
    """The text itself."""
    return value or UNKNOWN


def format_number(value: float | None) -> str:
    """A number with one decimal."""
    return UNKNOWN if value is None else f"{value:.1f}"


def format_count(value: int | None) -> str:
    """Parameters in millions or billions: `0.91M`, `41.8M`, `104M`, `1.20B`."""
    if value is None:
        return UNKNOWN
    amount, unit = (value / 1e9, "B") if value >= 999.5e6 else (value / 1e6, "M")
    if amount < 9.995:
        return f"{amount:.2f}{unit}"
    return f"{amount:.1f}{unit}" if amount < 99.95 else f"{amount:.0f}{unit}"


def format_claim(value: float) -> str:
    """A claimed number as a listing shows it, unless it has more decimals."""
    return format_number(value) if round(value, 1) == value else f"{value:g}"


@cache  # ten thousand models share a few sizes and licences
def format_size(value: tuple[int, int] | None, resize: str | None) -> str:
    """`416` for a square, `480x640` for height and width, `800-1333` for shortest and longest
    edge."""
    if value is None:
        return UNKNOWN
    first, second = value
    if resize == "shortest_edge":
        return f"{first}-{second}"
    return f"{first}" if first == second else f"{first}x{second}"


@cache
def format_license(code: str | None, weights: str | None) -> str:
    """One licence where code and weights have the same, else `code / weights`."""
    return format_text(code) if code == weights else f"{format_text(code)} / {format_text(weights)}"
