"""The entry files of others that a board names: each is in the folder that the board says.

A board is its owner's word, and its own paths may lead anywhere. What lies in such a folder is
somebody else's: a link in it that leads elsewhere is not followed.
"""

from __future__ import annotations

from pathlib import Path

from zoo.leaderboard.reading import wrong
from zoo.paths import is_inside

_MAGIC = frozenset("*?[")


def matching_files(folder: Path, pattern: str) -> tuple[Path, list[Path]]:
    """The folder that a path or glob of a board names, and the files that it has, in order.

    folder: the board's, which `pattern` is relative to.
    """
    path = folder / pattern
    if path.is_file():
        return path.parent, [path]
    own = (
        0 if Path(pattern).is_absolute() else len(folder.parts)
    )  # the folder's name is not a pattern
    *above, last = path.parts
    fixed = next((n for n in range(own, len(above)) if _MAGIC & set(above[n])), len(above))
    below = Path(*above[:fixed])
    try:
        return below, sorted(below.glob("/".join([*above[fixed:], last])))
    except ValueError:  # no pattern, as **.json is up to Python 3.12
        return below, []


def check_inside(path: Path, folder: Path) -> None:
    """Raises: DataError for a link that leads out of the folder."""
    if not is_inside(path, folder):
        raise wrong(
            path, "It is a link that leads out of its folder.", "Copy the file itself there."
        )
