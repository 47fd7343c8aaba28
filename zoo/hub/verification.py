"""Hashing again every file that was ever verified here, whatever its stamp says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from zoo.errors import CacheError
from zoo.hub import record, settings
from zoo.hub.address import printed
from zoo.hub.disk import saving
from zoo.hub.fetched import Wanted
from zoo.hub.promise import sha256_of
from zoo.hub.record import Record
from zoo.registry.home import home


@dataclass(frozen=True)
class Verified:
    """What became of one file.

    entry:  the name it was fetched for.
    source: where it is published, or `converted:SHA256…` for one that was made from a `.pth`.
    path:   the file; None if nothing was ever fetched under that name.
    status: `changed` is a file of the user's own that is another now than when it was last loaded.
    sha256: what it is now; of a missing file what it was.
    """

    entry: str
    source: str
    path: Path | None
    status: Literal["ok", "changed", "damaged", "missing"]
    sha256: str | None = None


def verify(choices: Iterable[Wanted] | None = None) -> list[Verified]:
    """The state of every file that belongs to `choices`, or of every file there is a record of."""
    known = list(record.read_all())
    if choices is None:
        return [_state(one) for one in known]
    return [result for wanted in choices for result in _of(wanted, known)]


def remove(result: Verified) -> None:
    """Removes a damaged file; the next load fetches or converts it again. Anything but `damaged` stays.

    Raises:
        CacheError: it is not in the zoo's or the Hub's cache, or can't be removed.
    """
    if result.path is None or result.status != "damaged":
        return
    if not any(result.path.is_relative_to(folder) for folder in (home(), settings.hub_cache())):
        raise CacheError(f"{result.path} was to be removed.", "It is not in a cache, so it is not ours.", "Replace it by hand.")
    with saving(result.path):
        result.path.resolve().unlink(missing_ok=True)  # the blob of the Hub's cache behind its link
        result.path.unlink(missing_ok=True)


def _of(wanted: Wanted, known: list[Record]) -> Iterator[Verified]:
    addresses = {printed(source) for source in wanted.weights.sources}
    published = [one for one in known if one.address in addresses or one.entry == wanted.entry]
    if not published:
        first = printed(wanted.weights.sources[0]) if wanted.weights.sources else ""
        yield Verified(wanted.entry, first, None, "missing")
    for one in published:
        yield _state(one)
        yield from (_state(other) for other in known if other.address.startswith(f"converted:{one.sha256}:"))


def _state(known: Record) -> Verified:
    path = Path(known.path)
    if not path.is_file():
        return Verified(known.entry, known.address, path, "missing", known.sha256)
    digest = sha256_of(path)
    if digest == known.sha256:
        return Verified(known.entry, known.address, path, "ok", digest)
    return Verified(known.entry, known.address, path, "changed" if known.address.startswith("file:") else "damaged", digest)
