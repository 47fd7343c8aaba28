"""Licences: which of them are permissive."""

from __future__ import annotations

# SPDX identifiers (https://spdx.org/licenses) that ask for no more than attribution and their own text.
PERMISSIVE = frozenset(
    """
    0BSD Apache-2.0 BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent BSD-3-Clause BSD-3-Clause-Clear BSL-1.0 CC-BY-4.0
    CC0-1.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 HPND ISC MIT MIT-0 NCSA PDDL-1.0 PostgreSQL PSF-2.0 Unlicense UPL-1.0 W3C X11
    Zlib
    """.casefold().split()
)


def is_permissive(license: str) -> bool:
    """Whether an SPDX identifier is on the list; an expression of several is not, whatever it says."""
    return license.casefold() in PERMISSIVE
