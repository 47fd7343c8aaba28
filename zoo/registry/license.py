"""Licences: which words are SPDX identifiers, and which of those are permissive."""

from __future__ import annotations

from functools import cache

from zoo.suggest import close_matches, suggest

# SPDX identifiers (https://spdx.org/licenses) that ask for no more than attribution and their own
# text.
_PERMISSIVE = """
    0BSD Apache-2.0 BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent BSD-3-Clause
    BSD-3-Clause-Clear BSL-1.0 CC-BY-4.0 CC0-1.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 HPND ISC
    MIT MIT-0 NCSA PDDL-1.0 PostgreSQL PSF-2.0 Unlicense UPL-1.0 W3C X11 Zlib
"""
_OTHERS = """
    AGPL-3.0 AGPL-3.0-only GPL-2.0-only GPL-3.0 GPL-3.0-only LGPL-3.0-only MPL-2.0 CC-BY-SA-4.0
    CC-BY-NC-4.0 CC-BY-NC-SA-4.0
"""
PERMISSIVE = frozenset(_PERMISSIVE.casefold().split())
_SPELLED = {name.casefold(): name for name in (*_PERMISSIVE.split(), *_OTHERS.split())}


def is_permissive(license: str) -> bool:
    """Whether an SPDX identifier is on the list; an expression of several is not, whatever it
    says."""
    return license.casefold() in PERMISSIVE


@cache  # thousands of cards have a handful of licences
def is_identifier(word: str) -> bool:
    """Whether a word is an SPDX identifier, or an expression of some; case does not matter."""
    # deferred: only questions about licences need the list
    from packaging.licenses import canonicalize_license_expression

    try:
        canonicalize_license_expression(word)
    except ValueError:
        return False
    return True


def nearest(word: str, *, besides: tuple[str, ...] = ()) -> list[str]:
    """The identifiers, and other words, that `word` may have meant."""
    spelled = _SPELLED | {name.casefold(): name for name in besides}
    return [spelled[name] for name in close_matches(word.casefold(), spelled)]


def advice(word: str) -> str:
    """Advice on what to write instead of a word that is not an identifier."""
    otherwise = "Write one of https://spdx.org/licenses, or LicenseRef-NAME."
    return suggest(nearest(word), otherwise=otherwise)
