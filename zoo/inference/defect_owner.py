"""Whose code a detector is, so that a report of its defects reaches the right people."""

from __future__ import annotations

import re
from functools import cache

from zoo.errors import ZooError
from zoo.registry import catalogue
from zoo.registry.distributions import Owner, owner_of


def defect_owner(detector: object, *, shown: str = "the image") -> str:
    """The advice for a defect of a detector or its builder: where to report it, and with what.

    Of a composed one, the head makes the boxes.
    """
    maker = getattr(detector, "head", detector) if hasattr(detector, "plan") else detector
    package = maker.__module__.partition(".")[0]
    return (
        f"This is a defect of the package '{package}'{_owner(package)}: report it there, with "
        f"{shown}."
    )


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
