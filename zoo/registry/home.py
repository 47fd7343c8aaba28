"""The two folders of the zoo: `$ZOO_HOME`, where it keeps what it writes, and `$ZOO_BUNDLE`, what was carried over."""

from __future__ import annotations

import os
from pathlib import Path

from zoo.environment import refused


def home() -> Path:
    """The folder for caches and records; it is read from the environment at each call and may not exist yet."""
    return Path(os.environ.get("ZOO_HOME") or "~/.cache/detzoo").expanduser()


def bundle_folder() -> Path | None:
    """The bundle to use, made by `zoo bundle`, or None. Raises: UsageError where ZOO_BUNDLE names no folder."""
    named = os.environ.get("ZOO_BUNDLE")
    folder = Path(named).expanduser() if named else None
    if folder and not folder.is_dir():
        raise refused("ZOO_BUNDLE", "no folder", "FOLDER, which zoo bundle made")
    return folder
