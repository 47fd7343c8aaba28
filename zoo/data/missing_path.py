"""A data set's path that does not exist: which part of it is missing, and which names are near."""

from __future__ import annotations

import os
from pathlib import Path

from zoo.errors import DataError
from zoo.suggest import close_matches, join_or

MAX_NAMES_COMPARED = 10_000  # of a folder


def is_missing(path: Path) -> bool:
    """Whether nothing is there; a place that may not be looked at is not missing."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def missing_path(path: Path, failure: str, *, written: str, advice: str = "") -> DataError:
    """The error for it. written: what stands in front of the path, as `coco:`; advice: a further
    sentence on what to type."""
    absent = path
    while absent.parent != absent and is_missing(absent.parent):
        absent = absent.parent
    case = f"'{path}' does not exist."
    if absent != path:
        case = f"{case[:-1]}: there is no '{absent}'."
    rest = path.relative_to(absent)
    alike = [absent.with_name(name) for name in _near(absent)]
    existing = [place / rest for place in alike if not is_missing(place / rest)]
    suggestions = join_or(f"{written}{place}" for place in existing or alike)
    fix = f"Did you mean {suggestions}?" if suggestions else "Check the path."
    return DataError(failure, case, f"{fix} {advice}".rstrip())


def _near(absent: Path) -> list[str]:
    """The names in its folder that look like it; none where the folder can't be read."""
    try:
        names = os.listdir(absent.parent)
    except OSError:
        return []
    candidates = [name for name in names[:MAX_NAMES_COMPARED] if not name.startswith(".")]
    return close_matches(absent.name, candidates)
