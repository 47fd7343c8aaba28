"""A server's page, which shows the boxes in an image that is dropped on it. It is one HTML file,
whose content security policy allows only its own script and style, by their hashes, and the
server."""

from __future__ import annotations

from functools import cache

from zoo.pages import fill, policy_hash, script_of, style_of, template

_OWN = "zoo.serve"
_SCRIPTS = ("page.js",)


@cache
def page() -> str:
    """The page as HTML."""
    parts = {"STYLE": style_of(_OWN), "SCRIPT": script_of(_OWN, _SCRIPTS)}
    return fill(template(_OWN, "page.html"), parts)


@cache
def policy() -> str:
    """The content security policy."""
    script, style = policy_hash(script_of(_OWN, _SCRIPTS)), policy_hash(style_of(_OWN))
    return (
        f"default-src 'none'; script-src '{script}'; style-src '{style}'; img-src blob: data:; "
        f"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
