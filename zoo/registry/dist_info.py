"""Name and version of an installed distribution, as the folder of its metadata is named.

https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

from __future__ import annotations

import re

_FOLDER = re.compile(r"(?P<name>[^-]+)(-(?P<version>[^-]+))?(-.*)?\.(dist|egg)-info", re.IGNORECASE)


def name_and_version(folder: str) -> tuple[str, str | None] | None:
    """Reads both off the name of a folder; None for other folders.

    Folders of egg-info may have no version.
    """
    match = _FOLDER.fullmatch(folder)
    return (match["name"], match["version"]) if match else None
