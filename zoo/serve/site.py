"""The page of a server: drop an image on it and see its boxes. One file with everything inside; its
policy allows the script and the style that are written into it, by their hash, and the server
itself."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files


@cache
def page() -> str:
    """The whole page."""
    parts = {"STYLE": _template("page.css"), "SCRIPT": _template("page.js"), "POLICY": policy()}
    return re.sub("@([A-Z]+)@", lambda mark: parts[mark[1]], _template("page.html"))


@cache
def policy() -> str:
    """The content security policy."""
    script, style = (_hash(_template(name)) for name in ("page.js", "page.css"))
    return (
        f"default-src 'none'; script-src '{script}'; style-src '{style}'; img-src blob: data:; "
        f"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _template(name: str) -> str:
    return files("zoo.serve").joinpath("page", name).read_text("utf-8").rstrip("\n")


def _hash(text: str) -> str:
    """As a policy names what stands between two tags."""
    digest = hashlib.sha256(f"\n{text}\n".encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
