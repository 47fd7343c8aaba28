"""The files of a data set: of one commit on the Hub, fetched when they are needed, or in a
folder."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from zoo import environment
from zoo.data.file_hashes import hashes
from zoo.errors import CacheError, DataError, WeightsError
from zoo.files import write_file
from zoo.limits import UNREADABLE
from zoo.paths import OutsideFolder, check_relative
from zoo.progress import Bar
from zoo.registry.card import HubSource
from zoo.weights.deadline import window, within
from zoo.weights.disk import saving
from zoo.weights.records import key_of
from zoo.weights.repository import Repository, folder, snapshot, translate_errors
from zoo.weights.retry import with_retries
from zoo.weights.sources import COMMIT

log = logging.getLogger("zoo")

THREADS = 8
MAX_SINGLE_FETCHES = 8  # files that are fetched one by one, each with a bar of its own
MAIN = "main"
DATASET = "dataset"
_PLACE = re.compile(r"([\w.-]+/[\w.-]+)(?:@(\S+))?")


@dataclass(frozen=True)
class RepositoryFiles:
    """The files of a data set, by their names in it.

    called: what the data set is called unless somebody says otherwise. address: it in messages.
    folder: where the files are, once they are fetched. root: what their links stay in.
    names:  of all of them, sorted. commit: on the Hub; empty of a folder.
    """

    called: str
    address: str
    folder: Path
    root: Path
    names: tuple[str, ...]
    repo: str = ""
    commit: str = ""

    def path(self, name: str) -> Path:
        """The place of one file, which may not be there."""
        return self.folder / name

    def fetch(self, names: Sequence[str]) -> None:
        """Makes files be there, each with the hash that the Hub promises. Raises: DataError."""
        if not self.commit:
            return
        carriers = [self._carrier(name) for name in names]
        missing = [carrier for carrier in carriers if carrier.find() is None]
        if missing and environment.offline():
            case = (
                f"{len(missing):,} of its {len(names):,} files are not on this machine, as "
                f"'{missing[0].source.file}', and the network is switched off."
            )
            raise DataError(self._failure, case, carry(self.repo))
        with as_data(self._failure, self.repo):
            if len(missing) <= MAX_SINGLE_FETCHES:
                for carrier in missing:
                    _fetch(carrier, progress=None)
            else:
                _fetch_all(missing, self.called)
            _check_large([carrier for carrier in carriers if carrier not in missing])

    @property
    def _failure(self) -> str:
        return f"Data set '{self.address}' can't be read."

    def _carrier(self, name: str) -> Repository:
        source = HubSource(repo=self.repo, revision=self.commit, file=name)
        return Repository(source, kind="dataset")


def folder_files(path: Path) -> RepositoryFiles:
    """The files of a folder. Raises: DataError where there is none."""
    if not path.is_dir():
        case = "It is a file." if path.exists() else "It is not there."
        raise DataError(f"{path} can't be read as a data set of the Hub.", case, "Name the folder.")
    paths = []
    for place, folders, files in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(place).relative_to(path).as_posix()
        prefix = "" if below == "." else f"{below}/"
        paths += [f"{prefix}{name}" for name in files if not name.startswith(".")]
    folder = path.absolute()
    return RepositoryFiles(folder.name, str(path), path, path, tuple(sorted(paths)))


def hub_files(place: str) -> RepositoryFiles:
    """The files of `ORG/NAME[@REVISION]`, pinned to the commit that the revision stands for now; a
    commit is looked up once. Raises: DataError."""
    form = _PLACE.fullmatch(place)
    failure = f"Data set 'hub:{place}' can't be read."
    if form is None:
        case = f"'{place}' is not the name of a data set on the Hub."
        raise DataError(failure, case, "Write hub:ORG/NAME or hub:ORG/NAME@REVISION.")
    repo, revision = form[1], form[2] or MAIN
    listing = _stored_listing(repo, revision) if _is_settled(revision) else None
    if listing is None and environment.offline():
        case = "It was never read on this machine, and the network is switched off."
        raise DataError(failure, case, carry(repo))
    if listing is None:
        with as_data(failure, repo):
            listing = _request_listing(repo, revision)
        _store_listing(repo, revision, listing)
    return RepositoryFiles(
        called=repo.partition("/")[2],
        address=f"hub:{repo}@{listing.commit}",
        folder=snapshot(repo, listing.commit, kind="dataset"),
        root=folder(repo, kind="dataset"),
        names=tuple(sorted(filter(_is_plain, listing.files))),
        repo=repo,
        commit=listing.commit,
    )


def carry(repo: str) -> str:
    """The advice for a machine without a network."""
    return (
        f"Read it once where there is a network; or carry a copy over, and read "
        f"hub-folder:{repo.partition('/')[2]}"
    )


@contextmanager
def as_data(failure: str, repo: str) -> Iterator[None]:
    """Turns errors of fetching into a DataError with advice for data sets."""
    try:
        yield
    except CacheError:
        raise
    except WeightsError as error:
        fix = error.fix
        if "as weights" in fix or "use weights" in fix:
            fix = f"Try again later; or read a copy of it: hub-folder:{repo.partition('/')[2]}"
        raise DataError(failure, error.case, fix) from error


class _Listing(msgspec.Struct):
    commit: str
    files: list[str]


def _is_settled(revision: str) -> bool:
    """Whether what was remembered still holds: of a commit always."""
    return COMMIT.fullmatch(revision) is not None or environment.offline()


def _is_plain(name: str) -> bool:
    try:
        check_relative(name)
    except OutsideFolder:
        return False
    return not name.startswith(".")


def _request_listing(repo: str, revision: str) -> _Listing:
    from huggingface_hub import HfApi  # deferred: slow

    address = f"hub:{repo}@{revision}"

    def ask() -> _Listing:
        with translate_errors(address, repo, revision=revision, kind="dataset"):
            info = HfApi(endpoint=environment.endpoint()).dataset_info(
                repo, revision=revision, timeout=environment.timeout()
            )
        names = [sibling.rfilename for sibling in info.siblings or []]
        return _Listing(info.sha or revision, names)

    answer = with_retries(lambda: within(ask, seconds=window()), address)
    if not COMMIT.fullmatch(answer.commit):
        case = "The Hub names no commit for it."
        raise DataError(f"{address} can't be read.", case, f"Pin it: hub:{repo}@COMMIT")
    return answer


def _listing_file(repo: str, revision: str) -> Path:
    return environment.home() / "revisions" / f"{key_of(f'hub:datasets/{repo}@{revision}')}.json"


def _stored_listing(repo: str, revision: str) -> _Listing | None:
    try:
        return msgspec.json.decode(_listing_file(repo, revision).read_bytes(), type=_Listing)
    except UNREADABLE:
        return None


def _store_listing(repo: str, revision: str, listing: _Listing) -> None:
    """Keeps the listing for offline use, by the revision and by its commit."""
    for name in {revision, listing.commit}:
        file = _listing_file(repo, name)
        try:
            with saving(file):
                write_file(file, msgspec.json.encode(listing))
        except CacheError as error:
            log.warning("hub:%s can't be remembered for offline use: %s", repo, error.case)


def _fetch_all(missing: Sequence[Repository], called: str) -> None:
    """Fetches many files on threads; the first error ends them."""
    pool = ThreadPoolExecutor(THREADS)
    try:
        with Bar(f"Fetching {called}", total=len(missing)) as bar:
            for _ in pool.map(lambda carrier: _fetch(carrier, progress=False), missing):
                bar.advance()
    finally:
        pool.shutdown(cancel_futures=True)


def _fetch(carrier: Repository, *, progress: bool | None) -> None:
    """Fetches a file, and once more where it came damaged. Raises: DataError naming one that can't
    be had, or is damaged again."""
    digest = ""
    for _ in range(2):
        with as_data(f"{carrier.address} can't be read.", carrier.source.repo):
            digest = _mismatch(carrier.download(progress=progress))
        if not digest:
            return
        carrier.remove(digest)
    raise _damage_error(carrier, digest)


def _mismatch(path: Path) -> str:
    """The hash that a file has, where that is not what its blob is called after: the sha256 of a
    large file, git's own of any other; else nothing."""
    blob_name = path.resolve().name
    if not path.is_symlink() or not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", blob_name):
        return ""
    with path.open("rb") as file:
        if len(blob_name) == 64:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        else:
            content = file.read()
            header = b"blob %d\0" % len(content)
            digest = hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
    return "" if digest == blob_name else digest


def _check_large(carriers: Sequence[Repository]) -> None:
    """Looks at large files that were fetched before; an unchanged one is known by its stamp.
    Raises: DataError for one that is damaged, which is removed."""
    promised = [(carrier, carrier.checksums()) for carrier in carriers]
    large = [(carrier, promises[0].sha256) for carrier, promises in promised if promises]
    digests = hashes([carrier.path.resolve() for carrier, _ in large]) if large else []
    for (carrier, sha256), digest in zip(large, digests, strict=True):
        if digest != sha256:
            carrier.remove(digest)
            raise _damage_error(carrier, digest)


def _damage_error(carrier: Repository, digest: str) -> DataError:
    case = f"It is damaged: its hash is {digest}, and not what the Hub promises. It was removed."
    return DataError(f"{carrier.address} can't be read.", case, "Read the data set again.")
