"""The two folders of the zoo: `$ZOO_HOME`, where it keeps what it writes, and `$ZOO_BUNDLE`, what
was carried over."""

from __future__ import annotations

import os
from pathlib import Path

from zoo.errors import SourceError


def home() -> Path:
    """The folder for caches and records; it is read from the environment at each call and may not
    exist yet."""
    return Path(os.environ.get("ZOO_HOME") or "~/.cache/detzoo").expanduser()


def bundle_folder() -> Path | None:
    """The bundle to use, made by `zoo bundle`, or None. Raises: SourceError where ZOO_BUNDLE names
    no folder."""
    named = os.environ.get("ZOO_BUNDLE")
    folder = Path(named).expanduser() if named else None
    if folder and not folder.is_dir():
        fix = "Correct ZOO_BUNDLE, or unset it: unset ZOO_BUNDLE"
        raise SourceError(
            f"The bundle '{folder}' was to be used, as ZOO_BUNDLE says.",
            "There is no such folder.",
            fix,
        )
    return folder
