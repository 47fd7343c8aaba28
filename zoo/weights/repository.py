"""Files of the Hugging Face Hub, fetched by the Hub's own client into the Hub's own cache."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from zoo import environment
from zoo.errors import SourceError
from zoo.paths import OutsideFolder, check_relative, is_inside
from zoo.registry.card import HubSource
from zoo.weights.deadline import SLOWEST, given_up, window, within
from zoo.weights.disk import saving
from zoo.weights.hub_bar import hub_bar
from zoo.weights.paced import enforce_pace
from zoo.weights.records import Checksum
from zoo.weights.retry import (
    TRY_LATER,
    TransientError,
    connection_error,
    status_error,
    with_retries,
)
from zoo.weights.sources import COMMIT, address_of

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

log = logging.getLogger("zoo")

FAILURE = "{} can't be fetched."
STEP = 10_000_000  # huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE, at most
BROKE_OFF = "The download broke off. It goes on from there."
CACHE_FIX = (
    "Set HF_HUB_CACHE to a folder that can be written, with room: HF_HUB_CACHE=/path/to/folder"
)
HUB_SAYS = "its ETag on the Hub"
Kind: TypeAlias = Literal["model", "dataset"]  # of a repository


@dataclass(frozen=True)
class Repository:
    """A file in a repository, pinned to a commit. kind: of the repository.

    The layout of the cache is documented:
    https://huggingface.co/docs/huggingface_hub/guides/manage-cache
    """

    source: HubSource
    kind: Kind = "model"

    def __post_init__(self) -> None:
        """Raises: SourceError where the file's path leads out of its repository, or the revision is
        no commit."""
        try:
            check_relative(self.source.file)
        except OutsideFolder as error:
            raise SourceError(
                FAILURE.format(self.address), f"{error}.", "Name a file of that repository."
            ) from None
        if not COMMIT.fullmatch(self.source.revision):
            raise SourceError(
                FAILURE.format(self.address),
                "The revision is not a full commit id.",
                "Name 40 hex digits.",
            )

    @property
    def revision(self) -> str | None:
        """The commit."""
        return self.source.revision

    @property
    def path(self) -> Path:
        """The client's file: a link in the commit's snapshot, to a blob named by its ETag."""
        return snapshot(self.source.repo, self.source.revision, kind=self.kind) / self.source.file

    def find(self) -> Path | None:
        """The file, if it was fetched before; a link that leads out of its repository's folder
        is none."""
        repository = folder(self.source.repo, kind=self.kind)
        ours = is_inside(self.path, repository) or is_inside(self.path, repository / "blobs")
        return self.path if self.path.is_file() and ours else None

    def checksums(self) -> tuple[Checksum, ...]:
        """The ETag: of a large file the Hub's is the sha256."""
        blob = self.path.readlink().name if self.path.is_symlink() else ""
        return (Checksum(blob, HUB_SAYS),) if re.fullmatch(r"[0-9a-f]{64}", blob) else ()

    def download(self, *, progress: bool | None) -> Path:
        """The file, fetched, or by now fetched by another process."""
        with saving(environment.hub_cache(), fix=CACHE_FIX):
            if self.path.is_symlink() and not self.find():
                drop(self.path, "")  # the client takes any link that is there for a file it fetched
            size = with_retries(partial(within, self._look, seconds=window()), self.address)
            pull = partial(self._pull, progress)
            # Bodies keep a pace of their own. Of what else the client does (it waits for another
            # process, or for another client's protocol) only its file tells: ten megabytes at once,
            # or the whole of a smaller one.
            seconds = window() + min(size, STEP) / SLOWEST
            return with_retries(
                partial(within, pull, seconds=seconds, done=self._so_far), self.address
            )

    def remove(self, digest: str) -> None:
        """Removes the link, and the blob behind it unless that is what its name says or another
        commit has it as well."""
        with saving(self.path, fix=CACHE_FIX):
            drop(self.path, digest)

    @property
    def address(self) -> str:
        return address_of(self.source)

    def _look(self) -> int:
        # The download below asks for the same headers, but over a failure it tries on for minutes
        # with timeouts of its own.
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        with self._translate_errors():
            url = hf_hub_url(
                self.source.repo,
                self.source.file,
                repo_type=self.kind,
                revision=self.source.revision,
                endpoint=environment.endpoint(),
            )
            return (
                get_hf_file_metadata(
                    url, timeout=environment.timeout(), endpoint=environment.endpoint()
                ).size
                or STEP
            )

    def _so_far(self) -> int:
        """Bytes that have come of files of this repository that are on their way."""
        size = 0
        for part in (folder(self.source.repo, kind=self.kind) / "blobs").glob("*.incomplete"):
            with suppress(OSError):  # it has arrived
                size += part.stat().st_size
        return size

    def _pull(self, progress: bool | None) -> Path:
        from huggingface_hub import hf_hub_download

        with told_by(self.address), self._translate_errors(tried=True), enforce_pace():
            return Path(
                hf_hub_download(
                    self.source.repo,
                    self.source.file,
                    repo_type=self.kind,
                    revision=self.source.revision,
                    cache_dir=environment.hub_cache(),
                    endpoint=environment.endpoint(),
                    etag_timeout=environment.timeout(),
                    tqdm_class=hub_bar(progress),
                )
            )

    def _translate_errors(self, *, tried: bool = False) -> AbstractContextManager[None]:
        source = self.source
        return translate_errors(
            self.address, source.repo, revision=source.revision, tried=tried, kind=self.kind
        )


def snapshot(repo: str, revision: str, *, kind: Kind = "model") -> Path:
    """The folder in which the client keeps the files of a commit."""
    return folder(repo, kind=kind) / "snapshots" / revision


def folder(repo: str, *, kind: Kind = "model") -> Path:
    """The folder in which the client keeps everything of a repository."""
    return environment.hub_cache() / f"{kind}s--{repo.replace('/', '--')}"


def drop(path: Path, digest: str) -> None:
    """Removes a snapshot's file with this sha256, and its blob where that is damaged or belongs to
    nothing else.

    Nothing outside the repository's own folder is touched, wherever links lead.
    """
    repository = repository_of(path)
    blob = path.resolve() if path.is_symlink() else None
    if repository is None:
        return
    path.unlink(missing_ok=True)
    if blob is None or blob.parent != (repository / "blobs").resolve() or blob.name == digest:
        return
    damaged = re.fullmatch(r"[0-9a-f]{64}", blob.name) is not None
    if damaged or not any(
        other.resolve() == blob
        for other in (repository / "snapshots").rglob("*")
        if other.is_symlink()
    ):
        blob.unlink(missing_ok=True)


def repository_of(path: Path) -> Path | None:
    """The repository's folder in the cache that a snapshot's file is in, or None for any other
    path."""
    try:
        parts = path.relative_to(environment.hub_cache()).parts
    except ValueError:
        return None
    in_snapshot = (
        len(parts) > 3
        and parts[0].startswith(("models--", "datasets--"))
        and parts[1] == "snapshots"
        and ".." not in parts
    )
    if not in_snapshot:
        return None
    repository = environment.hub_cache() / parts[0]
    return repository if is_inside(path.parent, repository / "snapshots") else None


@contextmanager
def told_by(address: str) -> Iterator[None]:
    """Says in our words what the Hub's client would log in its own while this thread is in it."""
    thread = threading.get_ident()

    def ours(record: logging.LogRecord) -> bool:
        if record.thread != thread:
            return True
        words = " ".join(record.getMessage().split())
        if given_up():
            return False
        if record.levelno >= logging.WARNING and not words.endswith(
            "Max retries exceeded."
        ):  # then an error follows
            log.warning(
                "%s: %s",
                address,
                BROKE_OFF if words.endswith("Trying to resume download...") else words,
            )
        return False

    client = logging.getLogger("huggingface_hub.file_download")
    client.addFilter(ours)
    try:
        yield
    finally:
        client.removeFilter(ours)


@contextmanager
def translate_errors(
    address: str,
    repo: str,
    *,
    revision: str = "main",
    tried: bool = False,
    kind: Kind = "model",
) -> Iterator[None]:
    """Turns what the Hub's client raises into `TransientError` or a SourceError; what this
    machine's disk says passes.

    tried: the client has tried again by itself what it tries again
        (huggingface_hub.file_download.http_get), and that was it.
    """
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    try:
        yield
    except TransientError:
        raise
    except HfHubHTTPError as error:
        refusal = _refusal(address, repo, revision, kind, error)
        raise (
            _final(address, refusal)
            if tried and error.response.status_code in (408, 429)
            else refusal
        ) from error
    except httpx2.RequestError as error:
        refusal, persisted = (
            connection_error(error),
            httpx2.ConnectError | httpx2.TimeoutException | httpx2.RemoteProtocolError,
        )
        raise (
            _final(address, refusal) if tried and isinstance(error, persisted) else refusal
        ) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise _final(
            address, error.__cause__ or error
        ) from error  # the client hides a failed request behind a missing file
    except Exception as error:
        # the Xet storage client raises types of its own, and invalid names a ValueError
        raise _final(address, error) from error


def _refusal(
    address: str, repo: str, revision: str, kind: Kind, error: HfHubHTTPError
) -> Exception:
    """The Hub's refusals, each with what to do about it."""
    from huggingface_hub import errors

    failure, status = f"{address} can't be fetched.", error.response.status_code
    page = f"{environment.endpoint()}/{'datasets/' if kind == 'dataset' else ''}{repo}"
    log_in = (
        f"Log in with `hf auth login` or HF_TOKEN, and accept the conditions, if any, at {page}"
    )
    match error:
        case errors.GatedRepoError():
            return SourceError(failure, f"The repository {repo} is gated.", log_in)
        case errors.RepositoryNotFoundError():
            kind_name = "data set" if kind == "dataset" else "repository"
            case = f"The Hub shows no {kind_name} {repo}: it is missing, private or gated."
            return SourceError(failure, case, f"Check the name. {log_in}")
        case errors.RevisionNotFoundError():
            return SourceError(
                failure,
                f"The repository {repo} has no such revision.",
                f"Look for another at {page}/commits/main",
            )
        case errors.RemoteEntryNotFoundError():
            return SourceError(
                failure, "That revision has no such file.", f"Look for it at {page}/tree/{revision}"
            )
    if status in (401, 403):
        return SourceError(
            failure, f"The Hub answers {status}: it wants a login, or refuses yours.", log_in
        )
    return status_error(address, status, retry_after=error.response.headers.get("Retry-After"))


def _final(address: str, error: BaseException) -> SourceError:
    first = str(error).strip().partition("\n")[0] or type(error).__name__
    return SourceError(f"{address} can't be fetched.", f"{first.rstrip('.')}.", TRY_LATER)
