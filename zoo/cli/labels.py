"""Classes as they are typed on the command line: `helmet,vest`, or a label space by name."""

from __future__ import annotations

from zoo.errors import UsageError
from zoo.labels import builtin

LABELS = "Class names with commas between, or a label space such as coco80."


def labels_of(given: str) -> str | list[str]:
    """The name of a declared label space, or class names in order. Raises: UsageError for a name
    that is not there."""
    names = [name.strip() for name in given.split(",")]
    if not all(names):
        left = ",".join(filter(None, names)) or "helmet,vest"
        raise UsageError(
            f"--labels '{given}' was asked for.",
            "A name before or after a comma is missing.",
            f"Write --labels {left}",
        )
    return given if len(names) == 1 and given in builtin.names() else names
