"""Named splits as files and folders say them: lists of images, and folders called as splits
are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from zoo.data.image_files import slashes, stem
from zoo.errors import DataError
from zoo.files import read_regular

# Folders of these names are splits; others are folders.
NAMES = ("train", "training", "val", "valid", "validation", "test", "testing")


def read_list(path: Path) -> list[str]:
    """The lines of a list of images, without blank ones. Raises: DataError where it can't be
    read."""
    try:
        text = read_regular(path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        case = f"{getattr(error, 'strerror', None) or error}."
        raise DataError(f"The list '{path}' can't be read.", case, "Write it as UTF-8.") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def rows_in_list(lines: Iterable[str], rows: Mapping[str, int]) -> tuple[list[int], int]:
    """The images that a list names, and how many of its lines name none.

    rows: by name without suffix. Lines may have a suffix, folders of another machine, or none.
    """
    members: dict[int, None] = {}
    unknown = 0
    for line in lines:
        row = _row(line, rows)
        if row is None:
            unknown += 1
        else:
            members[row] = None
    return list(members), unknown


def _row(line: str, rows: Mapping[str, int]) -> int | None:
    if line in rows:
        return rows[line]
    plain = slashes(line)
    while plain:
        for name in (plain, stem(plain)):
            if name in rows:
                return rows[name]
        plain = plain.partition("/")[2]
    return None


def splits_by_folder(names: Sequence[str]) -> dict[str, list[int]]:
    """Splits by the first folder of each image's name, if each is called as a split is, and there
    are several; else none."""
    tops = [name.partition("/")[0] for name in names]
    if not tops or len(set(tops)) < 2 or not {top.lower() for top in tops} <= set(NAMES):
        return {}
    splits: dict[str, list[int]] = {}
    for row, top in enumerate(tops):
        splits.setdefault(top, []).append(row)
    return in_order(splits)


def in_order(splits: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """Splits as one speaks of them: train, val, test, then others by name."""

    def place(name: str) -> tuple[int, str]:
        return NAMES.index(name.lower()) if name.lower() in NAMES else len(NAMES), name

    return {name: splits[name] for name in sorted(splits, key=place)}


def list_text(names: Iterable[str]) -> str:
    """A list of images, one a line."""
    return "".join(f"{name}\n" for name in names)
