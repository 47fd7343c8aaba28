"""Classes as they are typed on the command line: `helmet,vest`, or a label space by name."""

from __future__ import annotations

from zoo.labels import declared

LABELS = "Class names with commas between, or a label space such as coco80."


def labels_of(given: str) -> str | list[str]:
    """The name of a declared label space, or class names in order."""
    names = [name.strip() for name in given.split(",")]
    return given if len(names) == 1 and given in declared.names() else names
