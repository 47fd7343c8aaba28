"""Names of reports in tables and files: distinct, however alike their models' names, and never out
of their folder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath

_SUFFIX = re.compile(r"\.(jsonl?(\.gz)?|parquet)$")  # of the files that were measured
_LONGEST = 150  # bytes; file systems take 255, and a suffix comes on top


def told_apart(names: Mapping[str, str]) -> dict[str, str]:
    """typed -> name, for what was typed and the model it is of: the model, or, where several are of
    one, what was typed.

    Of paths only as much of the end as tells them apart.
    """
    times = Counter(names.values())
    paths = {typed: PurePath(typed).parts for typed, name in names.items() if times[name] > 1}
    length = 1
    while len({parts[-length:] for parts in paths.values()}) < len(paths) and length < max(
        map(len, paths.values())
    ):
        length += 1
    shortened = {
        typed: str(PurePath(*paths[typed][-length:])) if typed in paths else name
        for typed, name in names.items()
    }
    return (
        shortened
        if len(set(shortened.values())) == len(shortened)
        else {typed: typed for typed in names}
    )


def file_name(name: str) -> str:
    """A name as that of a file or folder: letters, digits, `_`, `-` and `.` stay, and it begins
    with none of the last two."""
    plain = re.sub(r"[^\w.-]+", "-", name).lstrip(".-")
    return plain.encode()[:_LONGEST].decode(errors="ignore") or "model"


def file_names(names: Mapping[str, object]) -> dict[str, str]:
    """A file name without suffix for each name; those that would be one, also where case does not
    matter, are numbered."""
    used: set[str] = set()
    plain_names = {}
    number = 1
    for name in names:
        first = plain = file_name(_SUFFIX.sub("", name))
        while plain.casefold() in used:
            number += 1
            plain = f"{first}-{number}"
        used.add(plain.casefold())
        plain_names[name] = plain
    return plain_names
