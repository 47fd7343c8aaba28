"""Whose code a detector is, so that a report of its defects reaches the right people."""

from __future__ import annotations

import re
from functools import cache
from traceback import walk_tb

from zoo.errors import ZooError
from zoo.registry import catalogue
from zoo.registry.distributions import Owner, owner_of


def defect_owner(
    detector: object, *, shown: str = "the image", error: BaseException | None = None
) -> str:
    """The advice for a defect of a detector or its builder: where to report it, and with what.

    error: what was raised. Of a composed one it is the fault of the part that it came from, and
        else of the head, which makes the boxes.
    """
    maker = detector
    if hasattr(detector, "plan"):
        maker = _raising(detector, error) or getattr(detector, "head", detector)
    package = maker.__module__.partition(".")[0]
    if package == "__main__":
        written = getattr(maker, "__qualname__", type(maker).__qualname__)
        return f"Correct `{written}`, which your own program defines."
    return (
        f"This is a defect of the package '{package}'{_owner(package)}: report it there, with "
        f"{shown}."
    )


def last_step(predictor: object) -> str:
    """The step that returns detections, by name: not every predictor decodes."""
    return "decode" if hasattr(predictor, "decode") else "predict"


def _raising(detector: object, error: BaseException | None) -> object | None:
    """The part of a composed detector in which an error was raised."""
    parts = [getattr(detector, kind, None) for kind in ("backbone", "neck", "head")]
    for frame, _ in walk_tb(error.__traceback__ if error else None):
        runs: object = frame.f_locals.get("self")
        if runs is not None and any(runs is part for part in parts):
            return runs
    return None


def _owner(package: str) -> str:
    """` (detzoo-acme 1.0)`: the distribution of the plugin in that package, or else the one that
    the package came with."""
    try:
        plugins = [
            info for info in catalogue().plugins if re.match(rf"{re.escape(package)}\b", info.entry)
        ]
    except ZooError:  # a registry file at fault is another matter than the defect that is told of
        plugins = []
    if plugins:
        return f" ({plugins[0].distribution} {plugins[0].version})"
    owner = _distribution_of(package)
    return f" ({owner.name} {owner.version})" if owner else ""


@cache
def _distribution_of(package: str) -> Owner | None:
    """As `owner_of`, which takes seconds; in a server a defect may come back with every image."""
    return owner_of(package)
