"""Mirrors: fetching a source from elsewhere, by replacing a prefix of its address; the file has to
be the same one.

The longest prefix wins, and the mirror is used instead of the original, not before it: a machine
that is to use a mirror often may not reach the original. A place on the Hub that is mirrored to a
web server or a folder keeps the Hub's own layout, `org/repo/resolve/REVISION/FILE`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from zoo.errors import SourceError
from zoo.registry.card import Source
from zoo.weights.address import HUB, HubSpec, parsed, printed


def mirrored(source: Source, mirrors: Mapping[str, str]) -> Source:
    """The source to fetch from; the same one where no mirror applies."""
    address = printed(source)
    replaced = replace_prefix(address, mirrors)
    if replaced == address:
        return source
    other = parsed(replaced)
    return source if isinstance(other, HubSpec) else other


def replace_prefix(address: str, mirrors: Mapping[str, str]) -> str:
    """The address behind the longest prefix that matches, or the same address.

    Raises:
        SourceError: the rest of the address would lead out of the mirror's folder.
    """
    prefix = max((one for one in mirrors if address.startswith(one)), key=len, default=None)
    if prefix is None:
        return address
    hub = HUB.fullmatch(address)
    if hub and hub["revision"] and hub["file"] and not mirrors[prefix].startswith("hub:"):
        address = f"hub:{hub['repo']}/resolve/{hub['revision']}/{hub['file']}"
    rest = address.removeprefix(prefix)
    if mirrors[prefix].startswith("file:") and ".." in re.split(r"[/\\]", unquote(rest)):
        case = "Its '..' would lead out of the mirror's folder."
        raise SourceError(
            f"{address[:200]} can't be read from a mirror.", case, "Correct the address."
        )
    return mirrors[prefix] + rest
