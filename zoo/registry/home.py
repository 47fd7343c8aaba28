"""The two folders of the zoo: `$ZOO_HOME`, where it keeps what it writes, and `$ZOO_BUNDLE`, what was carried over."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The folder for caches and records; it is read from the environment at each call and may not exist yet."""
    return Path(os.environ.get("ZOO_HOME") or "~/.cache/detzoo").expanduser()


def bundle_folder() -> Path | None:
    """The bundle to use, made by `zoo bundle`, or None."""
    named = os.environ.get("ZOO_BUNDLE")
    return Path(named).expanduser() if named else None
