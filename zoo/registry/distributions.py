"""Installed distributions as far as plugins concern them: each is read by itself, so that a damaged
one hides no other.

`importlib.metadata.entry_points` gives up at the first file that it can't read, whoever's it is.
Here such a distribution is named with its reason, and the rest are found. Only those that mention
the group have their metadata read, which keeps a listing fast.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.printable import printable
from zoo.registry.dist_info import name_and_version

if TYPE_CHECKING:
    from packaging.version import Version

ENTRY_POINTS = "entry_points.txt"
UNKNOWN = "?"
_LONGEST = 100  # characters of a name or version that a message repeats


@dataclass(frozen=True)
class Owner:
    """A distribution by name and version, with what is wrong with its own account of them (nothing,
    as a rule)."""

    name: str
    version: str
    fault: str = ""


@dataclass(frozen=True)
class Declared:
    """An entry point, and the distribution that declares it.

    entry:  None where the distribution's entry points can't be read, so that it is unknown which
        there are.
    fault:  why it can't be used; empty as a rule.
    remark: what is odd about its installation though it works.
    """

    owner: Owner
    entry: metadata.EntryPoint | None = None
    fault: str = ""
    remark: str = ""


def declarations(group: str) -> list[Declared]:
    """Every entry point of the group, and every distribution that may have one and can't be
    read."""
    entries: list[Declared] = []
    for candidates in _by_name(metadata.distributions()):
        distribution, others = _newest(candidates)
        entries += [_twice(entry, others) for entry in _entries(distribution, group)]
    return entries


def damaged_distributions() -> list[Declared]:
    """The distributions whose entry points can't be read, for whichever group they are; fast where
    there is none."""
    try:
        metadata.entry_points()
    except Exception:
        return [fault for each in metadata.distributions() for fault in _damage(each)]
    return []


def owner_of(package: str) -> Owner | None:
    """The distribution that an importable package came with, as far as one says so; slow, and only
    a defect pays for it."""
    return next(
        (
            _owner(distribution)
            for distribution in metadata.distributions()
            if package in _packages(distribution)
        ),
        None,
    )


def distributions_by_package() -> dict[str, list[str]]:
    """The names of the distributions that each importable package comes with; damaged ones say
    nothing of what is in them."""
    owners: dict[str, list[str]] = {}
    for distribution in metadata.distributions():
        for package in _packages(distribution):
            owners.setdefault(package, []).append(_owner(distribution).name)
    return owners


def _packages(distribution: metadata.Distribution) -> set[str]:
    """The packages that a distribution says can be imported."""
    try:
        declared = (distribution.read_text("top_level.txt") or "").split()
        return set(
            declared
            or (
                str(file).partition("/")[0].removesuffix(".py") for file in distribution.files or []
            )
        )
    except Exception:
        return set()


def _by_name(
    distributions: Iterable[metadata.Distribution],
) -> Iterator[list[metadata.Distribution]]:
    """Those of one name that lie in one folder; of those in other folders Python takes the first,
    and so does this."""
    by_name: dict[str, list[metadata.Distribution]] = {}
    for distribution in distributions:
        same = by_name.setdefault(_key(distribution), [])
        if not same or _site(same[0]) == _site(distribution) is not None:
            same.append(distribution)
    yield from by_name.values()


def _newest(
    candidates: list[metadata.Distribution],
) -> tuple[metadata.Distribution, list[metadata.Distribution]]:
    """The one to believe of several in one folder, which an install that was broken off leaves, and
    those of other versions."""
    if len(candidates) == 1:
        return candidates[0], []
    ranked = sorted(candidates, key=_rank, reverse=True)
    newest = _owner(ranked[0]).version
    return ranked[0], [
        distribution for distribution in ranked[1:] if _owner(distribution).version != newest
    ]


def _rank(distribution: metadata.Distribution) -> tuple[bool, Version]:
    # deferred: only a damaged folder needs it
    from packaging.version import InvalidVersion, Version

    owner = _owner(distribution)
    try:
        return not owner.fault, Version(owner.version)
    except InvalidVersion:
        return False, Version("0")


def _twice(entry: Declared, others: list[metadata.Distribution]) -> Declared:
    if not others:
        return entry
    also = ", ".join(_owner(other).version for other in others)
    remark = (
        f"is installed twice in one folder, also as version {also}: pip install --force-reinstall "
        f"{entry.owner.name}"
    )
    return Declared(entry.owner, entry.entry, entry.fault, remark)


def _entries(distribution: metadata.Distribution, group: str) -> list[Declared]:
    """The entry points of one distribution in the group; most have none, and are not parsed for
    it."""
    try:
        text = distribution.read_text(ENTRY_POINTS)
    except Exception:
        return _damage(distribution)
    if text is None and _is_locked(distribution):
        return [
            Declared(
                _owner(distribution), fault=f"Its {ENTRY_POINTS} can't be read: permission denied."
            )
        ]
    if not text or group not in text:
        return []
    if damage := _damage(distribution):
        return damage
    owner = _owner(distribution)
    entries = distribution.entry_points.select(group=group)
    return [Declared(owner, entry, owner.fault or _fault(entry)) for entry in entries]


def _damage(distribution: metadata.Distribution) -> list[Declared]:
    """The distribution with its fault if its entry points can't be read, and nothing if they
    can."""
    try:
        text = distribution.read_text(ENTRY_POINTS) or ""
    except Exception as error:
        return [
            Declared(
                _owner(distribution),
                fault=f"Its {ENTRY_POINTS} can't be read: {_read_error(error)}.",
            )
        ]
    try:
        list(distribution.entry_points)
    except Exception:
        return [
            Declared(
                _owner(distribution), fault=f"Its {ENTRY_POINTS} is not valid: {_garbage(text)}."
            )
        ]
    return []


def _fault(entry: metadata.EntryPoint) -> str:
    try:
        named = bool(entry.name and entry.module)
    except Exception:
        named = False
    return (
        "" if named else f"Its entry point '{entry.name:.40} = {entry.value:.40}' names no module."
    )


def _garbage(text: str) -> str:
    """The first line of an entry_points.txt that means nothing, as a reader would point it out."""
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        header = line.startswith("[") and line.endswith("]")
        if line and not line.startswith("#") and not header and "=" not in line:
            return f"line {number} is neither '[group]' nor 'name = module'"
    return "it does not parse"


def _owner(distribution: metadata.Distribution) -> Owner:
    """Name and version; where its metadata does not say so, those in the name of its folder."""
    name, version = name_and_version(_path(distribution).name) or (None, None)
    fault = ""
    try:
        # as a dictionary, since asking for a field that is missing warns or raises in some versions
        # of Python
        headers = dict(distribution.metadata.items())  # type: ignore[attr-defined]  # an email.message.Message
        name, version = headers.get("Name") or name, headers.get("Version") or version
        missing = [field for field in ("Name", "Version") if not headers.get(field)]
        fault = f"Its METADATA has no {' and no '.join(missing)}." if missing else ""
    except Exception as error:
        fault = f"Its METADATA can't be read: {_read_error(error)}."
    return Owner(_short(name or "an unnamed distribution"), _short(version or UNKNOWN), fault)


def _read_error(error: Exception) -> str:
    """An error of reading in a few words."""
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    reason = getattr(error, "strerror", None) or str(error)
    return f"{type(error).__name__}{f': {reason:.80}' if reason else ''}"


def _short(text: str) -> str:
    """Text from outside, in one line that is not too long and commands no terminal."""
    return printable(" ".join(text.split()), limit=_LONGEST)


def _key(distribution: metadata.Distribution) -> str:
    """The normalised name, from the name of the folder where it has one: reading the metadata of
    all takes too long."""
    folder = name_and_version(_path(distribution).name)
    return re.sub(r"[-_.]+", "-", folder[0] if folder else _owner(distribution).name).lower()


def _site(distribution: metadata.Distribution) -> Path | None:
    path = _path(distribution)
    return path.parent if path.name else None


def _path(distribution: metadata.Distribution) -> Path:
    """The folder of its metadata; an empty path for one that is in a zip file, or that a finder of
    another kind found."""
    path = getattr(distribution, "_path", None)
    return path if isinstance(path, Path) else Path()


def _is_locked(distribution: metadata.Distribution) -> bool:
    """Whether there is a file of entry points that this user may not read; Python takes it for
    none."""
    path = _path(distribution)
    file = path / ENTRY_POINTS
    return (
        bool(path.name)
        and os.path.lexists(file)
        and not (os.path.isfile(file) and os.access(file, os.R_OK))
    )
