"""Hashes every verified file again, whatever its stamp says, and those of a bundle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from zoo import environment
from zoo.environment import home
from zoo.errors import CacheError
from zoo.paths import is_inside
from zoo.weights import records
from zoo.weights.disk import saving
from zoo.weights.manifest import REGISTRY, Manifest
from zoo.weights.records import Record, WeightsRequest, sha256_of
from zoo.weights.repository import drop, repository_of
from zoo.weights.sources import address_of


@dataclass(frozen=True)
class FileStatus:
    """The result of verifying one file.

    entry:  the name it was fetched for.
    source: where it is published, or `converted:SHA256…` for one that was made from a `.pth`.
    path:   the file; None if nothing was ever fetched under that name.
    status: `changed` is a file of the user's own that is another now than when it was last loaded.
    sha256: what it is now; of a missing file what it was.
    bundle: the folder of the bundle it is in.
    """

    entry: str
    source: str
    path: Path | None
    status: Literal["ok", "changed", "damaged", "missing", "not fetched"]
    sha256: str | None = None
    bundle: Path | None = None


def verify(
    choices: Iterable[WeightsRequest] | None = None, *, bundle: Path | None = None
) -> list[FileStatus]:
    """The state of every file that belongs to `choices`, or of every file there is a record of, and
    of those in `ZOO_BUNDLE`.

    bundle: look at the files in this bundle only.

    Raises:
        SourceError: the bundle's folder is none.
    """
    records_here = (
        []
        if bundle
        else [record for record in records.read_all() if not record.address.startswith("bundle:")]
    )
    folder = bundle or environment.bundle_folder()
    packed = Manifest.read(folder) if folder else Manifest({})
    if choices is None:
        return [*map(_state, records_here), *_bundle_statuses(packed, folder or Path())]
    requests = [request for chosen in choices for request in chosen.every_file()]
    return [
        result
        for request in requests
        for result in _statuses_of(request, records_here, packed, folder or Path())
    ]


def remove(result: FileStatus) -> None:
    """Removes a damaged file; the next load fetches or converts it again. Anything but `damaged`
    stays.

    Raises:
        CacheError: it is not in the zoo's or the Hub's cache, or can't be removed.
    """
    if result.path is None or result.status != "damaged":
        return
    if repository_of(result.path):
        with saving(result.path):
            drop(result.path, result.sha256 or "")
    elif is_inside(result.path.parent, home()):
        with saving(result.path):
            result.path.unlink(missing_ok=True)
    else:
        raise CacheError(
            f"{result.path} can't be removed.",
            "It is not in a cache, so it is not ours.",
            "Replace it by hand.",
        )


def _statuses_of(
    request: WeightsRequest, records_here: list[Record], packed: Manifest, folder: Path
) -> Iterator[FileStatus]:
    addresses = {address_of(source) for source in request.sources}
    published = [
        record
        for record in records_here
        if record.address in addresses or record.entry == request.entry
    ]
    item = packed.find(request, sha256=None)
    yield from map(_state, published)
    if item:
        yield from _bundle_statuses(Manifest({request.entry: item}), folder)
    elif not published:
        first = address_of(request.sources[0]) if request.sources else ""
        yield FileStatus(request.entry, first, None, "not fetched")
    for sha256 in {record.sha256 for record in published} | ({item.sha256} if item else set()):
        yield from (
            _state(other)
            for other in records_here
            if other.address.startswith(f"converted:{sha256}:")
        )


def _bundle_statuses(manifest: Manifest, folder: Path) -> Iterator[FileStatus]:
    """The state of a bundle's files; one that has several names is hashed once and listed under
    each."""
    files = {item.file for item in manifest.weights.values()} | (
        {REGISTRY} if manifest.registry else set()
    )
    packed = [
        file for file in files if (folder / file).is_file() and is_inside(folder / file, folder)
    ]
    digests = {file: sha256_of(folder / file) for file in packed}
    for entry, item in manifest.weights.items():
        yield _compare(
            FileStatus(entry, item.source, folder / item.file, "ok", item.digest, folder),
            digests.get(item.file),
        )
    if manifest.registry:
        path = folder / REGISTRY
        listed = FileStatus("the cards in it", str(path), path, "ok", manifest.registry, folder)
        yield _compare(listed, digests.get(REGISTRY))


def _compare(promised: FileStatus, digest: str | None) -> FileStatus:
    """A file of a bundle as it is now; `digest` is None where it is gone."""
    if digest is None:
        return replace(promised, status="missing")
    return (
        promised
        if digest == promised.sha256
        else replace(promised, status="damaged", sha256=digest)
    )


def _state(record: Record) -> FileStatus:
    path = Path(record.path)
    if not path.is_file():
        return FileStatus(record.entry, record.address, path, "missing", record.sha256)
    digest = sha256_of(path)
    if digest == record.sha256:
        return FileStatus(record.entry, record.address, path, "ok", digest)
    return FileStatus(
        record.entry,
        record.address,
        path,
        "changed" if record.address.startswith("file:") else "damaged",
        digest,
    )
