"""Where the zoo keeps what it writes: one folder, `$ZOO_HOME` or `~/.cache/detzoo`."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The folder for caches and records; it is read from the environment at each call and may not exist yet."""
    return Path(os.environ.get("ZOO_HOME") or "~/.cache/detzoo").expanduser()
