"""Settings of the network that every download obeys, pictures as well as weights; each is read when it is needed."""

from __future__ import annotations

import os

from zoo.errors import UsageError

ON = {"1", "on", "yes", "true"}
OFF = {"", "0", "off", "no", "false"}
OFFLINE = ("ZOO_OFFLINE", "HF_HUB_OFFLINE")


def offline() -> str | None:
    """The switch that says that no socket may be opened, or None.

    Raises:
        UsageError: a switch is set to a word that is neither on nor off.
    """
    return next((name for name, on in [(name, switch(name)) for name in OFFLINE] if on), None)  # a list: both are checked


def timeout() -> float:
    """Seconds a server may keep silent. Raises: UsageError."""
    seconds = number("ZOO_TIMEOUT", 10.0)
    if not 0 < seconds < float("inf"):
        raise refused("ZOO_TIMEOUT", "no number of seconds above 0", "10")
    return seconds


def switch(name: str) -> bool:
    """Whether a switch is on. Raises: UsageError."""
    word = os.environ.get(name, "").strip().lower()
    if word not in ON | OFF:
        raise refused(name, "neither on (1, on, yes, true) nor off (0, off, no, false)", "1")
    return word in ON


def number(name: str, default: float) -> float:
    """The number, or one that no setting allows where it is none."""
    text = os.environ.get(name, "").strip()
    try:
        return float(text) if text else default
    except ValueError:
        return -1.0


def refused(name: str, case: str, example: str) -> UsageError:
    """The error for a variable that is set to something it can't be."""
    return UsageError(f"{name} was read.", f"'{os.environ.get(name)}' is {case}.", f"Unset it, or write {name}={example}")
