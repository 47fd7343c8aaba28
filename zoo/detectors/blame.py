"""Whose code a detector is, so that a report of its defects reaches the right people."""

from __future__ import annotations

from importlib import metadata


def blame(detector: object, *, shown: str = "the picture") -> str:
    """What to do about a defect of a detector or its builder: where to report it, and with what.

    Of a composed one, the head makes the boxes.
    """
    maker = getattr(detector, "head", detector) if hasattr(detector, "plan") else detector
    package = maker.__module__.partition(".")[0]
    owners = metadata.packages_distributions().get(package, [])  # slow, and only a defect pays for it
    owner = f" ({owners[0]} {metadata.version(owners[0])})" if owners else ""
    return f"This is a defect of the package '{package}'{owner}: report it there, with {shown}."
