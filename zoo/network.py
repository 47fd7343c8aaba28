"""The network as the environment sets it, for weights and images alike: whether it may be used,
and how patient to be."""

from __future__ import annotations

import os

from zoo.errors import UsageError

ON = {"1", "on", "yes", "true"}
OFF = {"", "0", "off", "no", "false"}
SWITCHES = ("ZOO_OFFLINE", "HF_HUB_OFFLINE")


def switched_off() -> str | None:
    """The variable that says that no socket may be opened, or None.

    Raises:
        UsageError: a switch is set to a word that is neither on nor off.
    """
    on = [name for name in SWITCHES if _is_on(name)]  # all of them are looked at
    return on[0] if on else None


def timeout() -> float:
    """Seconds a server may keep silent. Raises: UsageError where it is no such number."""
    seconds = number("ZOO_TIMEOUT", 10.0)
    if not 0 < seconds < float("inf"):
        raise refused("ZOO_TIMEOUT", "no number of seconds above 0", "10")
    return seconds


def number(name: str, default: float) -> float:
    """The number in a variable, or one that no setting allows where it is none."""
    text = os.environ.get(name, "").strip()
    try:
        return float(text) if text else default
    except ValueError:
        return -1.0


def refused(name: str, case: str, example: str) -> UsageError:
    """The error for a variable that is set to what it can't be."""
    return UsageError(
        f"{name} was read.",
        f"'{os.environ.get(name)}' is {case}.",
        f"Unset it, or write {name}={example}",
    )


def _is_on(name: str) -> bool:
    word = os.environ.get(name, "").strip().lower()
    if word not in ON | OFF:
        raise refused(name, "neither on (1, on, yes, true) nor off (0, off, no, false)", "1")
    return word in ON
