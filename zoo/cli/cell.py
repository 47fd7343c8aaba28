"""How one fact is written in a terminal; an unknown one is a dash, never a guess."""

from __future__ import annotations

UNKNOWN = "–"


def text(value: str | None) -> str:
    """The text itself."""
    return value or UNKNOWN


def number(value: float | None, digits: int = 1) -> str:
    """A number with so many decimals."""
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def count(value: int | None) -> str:
    """Parameters in millions or billions, three digits: `41.8M`."""
    if value is None:
        return UNKNOWN
    return f"{value / 1e9:.3g}B" if value >= 999.5e6 else f"{value / 1e6:.3g}M"


def size(value: tuple[int, int] | None, resize: str | None) -> str:
    """`416` for a square, `480x640` for height and width, `800-1333` for shortest and longest edge."""
    if value is None:
        return UNKNOWN
    first, second = value
    if resize == "shortest_edge":
        return f"{first}-{second}"
    return f"{first}" if first == second else f"{first}x{second}"


def license(code: str | None, weights: str | None) -> str:
    """One licence where code and weights have the same, else `code / weights`."""
    return text(code) if code == weights else f"{text(code)} / {text(weights)}"
