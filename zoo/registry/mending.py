"""What to do about a plugin that does not work, by how it was installed."""

from __future__ import annotations

import json
from urllib.parse import unquote, urlsplit


def mending(distribution: str) -> str:
    """The advice: mend the project that it was installed from, or upgrade what a package index
    has."""
    origin = _origin(distribution)
    url, folder = str(origin.get("url", "")), origin.get("dir_info")
    if not url:
        return f"Mend or upgrade it: pip install --upgrade {distribution}"
    if not isinstance(folder, dict):
        return f"Mend it, or install another version of it; this one is from {url}"
    path = unquote(urlsplit(url).path)
    return (
        f"Mend it in {path}"
        if folder.get("editable")
        else f'Mend it in {path}, then: pip install "{path}"'
    )


def _origin(distribution: str) -> dict[str, object]:
    """Where pip had it from, if not from an index (`direct_url.json`, PEP 610)."""
    from importlib.metadata import (
        Distribution,
        PackageNotFoundError,
    )  # deferred: only mistakes need it

    try:
        origin = json.loads(
            Distribution.from_name(distribution).read_text("direct_url.json") or "{}"
        )
    except (PackageNotFoundError, ValueError, RecursionError):
        return {}
    return origin if isinstance(origin, dict) else {}
