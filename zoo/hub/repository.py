"""Files of the Hugging Face Hub, fetched by the Hub's own client into the Hub's own cache."""

from __future__ import annotations

import itertools
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import SourceError
from zoo.hub import settings
from zoo.hub.address import printed
from zoo.hub.disk import saving
from zoo.hub.network import LATER, broken_off, patiently, refused
from zoo.hub.progress import bar
from zoo.hub.promise import Promise
from zoo.registry.card import HubSource

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

log = logging.getLogger("zoo")

BROKE_OFF = "The download broke off. It goes on from there."
CACHE_FIX = "Set HF_HUB_CACHE to a folder that can be written, with room: HF_HUB_CACHE=/path/to/folder"
HUB_SAYS = "its ETag on the Hub"


@dataclass(frozen=True)
class Repository:
    """A file in a repository, pinned to a commit.

    The layout of the cache is documented: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
    """

    source: HubSource

    @property
    def revision(self) -> str | None:
        """The commit."""
        return self.source.revision

    @property
    def path(self) -> Path:
        """Where the client keeps the file: a link in the commit's snapshot, to a blob named by its ETag."""
        return snapshot(self.source.repo, self.source.revision) / self.source.file

    def find(self) -> Path | None:
        """The file, if anybody fetched it before."""
        return self.path if self.path.is_file() else None

    def promises(self) -> tuple[Promise, ...]:
        """The ETag: of a large file the Hub's is the sha256."""
        blob = self.path.readlink().name if self.path.is_symlink() else ""
        return (Promise(blob, HUB_SAYS),) if re.fullmatch(r"[0-9a-f]{64}", blob) else ()

    def download(self, *, progress: bool | None) -> Path:
        """The file, fetched, or by now fetched by another process."""
        with saving(settings.hub_cache(), fix=CACHE_FIX):
            patiently(self._look, self._address)
            return patiently(lambda: self._pull(progress), self._address)

    def remove(self, digest: str) -> None:
        """Removes the link and the bad blob behind it; a blob that is what its name says stays."""
        cache = settings.hub_cache().resolve()
        with saving(self.path, fix=CACHE_FIX):
            for step in itertools.takewhile(lambda step: step.name != digest, list(_chain(self.path))):
                if (step.parent.resolve() / step.name).is_relative_to(cache):
                    step.unlink(missing_ok=True)

    @property
    def _address(self) -> str:
        return printed(self.source)

    def _look(self) -> None:
        # The download below asks for the same headers, but over a failure it tries on for minutes with timeouts of its own.
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        with explained(self._address, self.source.repo, revision=self.source.revision):
            url = hf_hub_url(self.source.repo, self.source.file, revision=self.source.revision, endpoint=settings.endpoint())
            get_hf_file_metadata(url, timeout=settings.timeout(), endpoint=settings.endpoint())

    def _pull(self, progress: bool | None) -> Path:
        from huggingface_hub import hf_hub_download

        with told_by(self._address), explained(self._address, self.source.repo, revision=self.source.revision, tried=True):
            return Path(
                hf_hub_download(
                    self.source.repo,
                    self.source.file,
                    revision=self.source.revision,
                    cache_dir=settings.hub_cache(),
                    endpoint=settings.endpoint(),
                    etag_timeout=settings.timeout(),
                    tqdm_class=bar(progress),
                )
            )


def snapshot(repo: str, revision: str) -> Path:
    """The folder in which the client keeps the files of a commit."""
    return folder(repo) / "snapshots" / revision


def folder(repo: str) -> Path:
    """The folder in which the client keeps everything of a repository."""
    return settings.hub_cache() / f"models--{repo.replace('/', '--')}"


@contextmanager
def told_by(address: str) -> Iterator[None]:
    """Says in our words what the Hub's client would log in its own while this thread is in it."""
    thread = threading.get_ident()

    def ours(said: logging.LogRecord) -> bool:
        if said.thread != thread:
            return True
        words = " ".join(said.getMessage().split())
        if said.levelno >= logging.WARNING and not words.endswith("Max retries exceeded."):  # then an error follows
            log.warning("%s: %s", address, BROKE_OFF if words.endswith("Trying to resume download...") else words)
        return False

    client = logging.getLogger("huggingface_hub.file_download")
    client.addFilter(ours)
    try:
        yield
    finally:
        client.removeFilter(ours)


@contextmanager
def explained(address: str, repo: str, *, revision: str = "main", tried: bool = False) -> Iterator[None]:
    """Turns what the Hub's client raises into `Passing` or a SourceError; what this machine's disk says passes.

    tried: the client has tried again by itself what it tries again (huggingface_hub.file_download.http_get), and that was it.
    """
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    try:
        yield
    except HfHubHTTPError as why:
        told = _answered(address, repo, revision, why)
        raise _final(address, told) if tried and why.response.status_code in (408, 429) else told from why
    except httpx2.RequestError as why:
        told, persisted = broken_off(why), httpx2.ConnectError | httpx2.TimeoutException | httpx2.RemoteProtocolError
        raise _final(address, told) if tried and isinstance(why, persisted) else told from why
    except OSError as why:
        if why.errno is not None:
            raise
        raise _final(address, why.__cause__ or why) from why  # the client hides a failed request behind a missing file
    except Exception as why:  # the Xet storage client raises types of its own, and invalid names a ValueError
        raise _final(address, why) from why


def _answered(address: str, repo: str, revision: str, why: HfHubHTTPError) -> Exception:
    """The Hub's refusals, each with what to do about it."""
    from huggingface_hub import errors

    asked, page, status = f"{address} was to be fetched.", f"{settings.endpoint()}/{repo}", why.response.status_code
    log_in = f"Log in with `hf auth login` or HF_TOKEN, and accept the conditions, if any, at {page}"
    match why:
        case errors.GatedRepoError():
            return SourceError(asked, f"The repository {repo} is gated.", log_in)
        case errors.RepositoryNotFoundError():
            case = f"The Hub shows no repository {repo}: it is missing, private or gated."
            return SourceError(asked, case, f"Check the name. {log_in}")
        case errors.RevisionNotFoundError():
            return SourceError(asked, f"The repository {repo} has no such revision.", f"Look for another at {page}/commits/main")
        case errors.RemoteEntryNotFoundError():
            return SourceError(asked, "That revision has no such file.", f"Look for it at {page}/tree/{revision}")
    if status in (401, 403):
        return SourceError(asked, f"The Hub answers {status}: it wants a login, or refuses yours.", log_in)
    return refused(address, status, retry_after=why.response.headers.get("Retry-After"))


def _final(address: str, why: BaseException) -> SourceError:
    first = str(why).strip().partition("\n")[0] or type(why).__name__
    return SourceError(f"{address} was to be fetched.", f"{first.rstrip('.')}.", LATER)


def _chain(path: Path) -> Iterator[Path]:
    """A link, what it points to, and so on to the file."""
    yield path
    for _ in range(8):
        if not path.is_symlink():
            return
        path = path.parent / path.readlink()
        yield path
