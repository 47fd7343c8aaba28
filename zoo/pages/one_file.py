"""A page as one HTML file, which opens from a disk and asks no other host for anything.

What others wrote reaches the page as JSON only, and the scripts set it as text, never as mark-up.
The page's own policy allows the style and the script that are written into it, by their hashes, and
no others.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

HIDDEN = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_OWN = "zoo.pages"


def one_file(package: str, *, title: str, json: str, scripts: Sequence[str]) -> str:
    """The whole page.

    package: has the folder `template` with `body.html`, `page.css` and these scripts, which come
        after the shared `element.js` in one scope.
    json: data for the scripts, which find it in the element `data`.
    """
    script, style = script_of(package, scripts), style_of(package)
    parts = {
        "TITLE": html.escape(title),
        "SCRIPT_HASH": policy_hash(script),
        "STYLE_HASH": policy_hash(style),
        "STYLE": style,
        "BODY": template(package, "body.html"),
        "DATA": json_in_html(json),
        "SCRIPT": script,
    }
    return fill(template(_OWN, "frame.html"), parts)


def script_of(package: str, scripts: Sequence[str]) -> str:
    """The shared script, and those of a package after it."""
    return "\n".join([template(_OWN, "element.js"), *(template(package, name) for name in scripts)])


def style_of(package: str) -> str:
    """The shared style, and a package's `page.css` after it."""
    return f"{template(_OWN, 'base.css')}\n\n{template(package, 'page.css')}"


def fill(frame: str, parts: Mapping[str, str]) -> str:
    """A frame with its parts in the places of their names, `@STYLE@`."""
    return re.sub("@([A-Z_]+)@", lambda mark: parts[mark[1]], frame)


def json_in_html(json: str) -> str:
    """JSON that can stand in an HTML page: nothing in it opens or closes a tag."""
    for character, written in HIDDEN.items():
        json = json.replace(character, written)
    return json


def template(package: str, name: str) -> str:
    """A file in the folder `template` of a package."""
    return files(package).joinpath("template", name).read_text("utf-8").rstrip("\n")


def policy_hash(text: str) -> str:
    """As a content security policy names what stands between two tags, each on a line of its
    own."""
    return "sha256-" + base64.b64encode(hashlib.sha256(f"\n{text}\n".encode()).digest()).decode()
