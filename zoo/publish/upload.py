"""Uploads files to a repository of the Hub in one commit: all of them or none.

Large files are sent first, invisibly; the commit that lists them comes last.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from zoo import environment
from zoo.errors import PushError
from zoo.progress import Bar, is_shown
from zoo.publish.result_folder import PUSHED_FILES
from zoo.registry.folder import CARD
from zoo.text import join_first
from zoo.weights.deadline import window, within
from zoo.weights.retry import TransientError, connection_error

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.hf_api import ModelInfo

log = logging.getLogger("zoo")
Answer = TypeVar("Answer")

SILENT = "The Hub fell silent."
_PUSH_AGAIN = "Push again: large files that have arrived are not sent twice."
FIX_UNPUBLISHED = f"Nothing was published. {_PUSH_AGAIN}"
FIX_UNCERTAIN = f"It is not known whether the commit was made. {_PUSH_AGAIN}"
CLIENT_MODULES = ("_commit_api", "hf_api", "utils._http")  # those of huggingface_hub that log
MAX_FILES_SHOWN = 5


@dataclass(frozen=True)
class Commit:
    """A commit on the Hub, and the page of its repository."""

    id: str
    url: str


class UploadCounter:
    """Counts the bytes of large files that are sent, and stops a call that was given up."""

    def __init__(self, bar: Bar) -> None:
        self.bytes = 0
        self.is_counting = False  # not while the client hashes the files
        self.is_over = False
        self._bar = bar

    def add(self, count: int) -> None:
        """Counts bytes. Raises: OSError once the call was given up."""
        if self.is_over:
            raise OSError("given up")
        if self.is_counting:
            self.bytes += count
            self._bar.advance(count)


class LargeFile(io.BufferedReader):
    """A file whose reads are counted."""

    def __init__(self, path: Path, counter: UploadCounter) -> None:
        super().__init__(io.FileIO(path))
        self._counter = counter

    def read(self, size: int | None = -1, /) -> bytes:
        """Reads and counts the next bytes."""
        data = super().read(size)
        self._counter.add(len(data))
        return data


def upload(
    repo: str,
    files: Mapping[str, Path | bytes],
    *,
    private: bool,
    token: str | None,
    message: str,
    progress: bool | None = None,
) -> Commit:
    """Creates the repository if it does not exist, and commits the files to it.

    Raises: PushError: nothing was published, or the message says that this is not known.
    """
    from huggingface_hub import CommitOperationDelete, HfApi  # deferred: slow

    api = HfApi(endpoint=environment.endpoint(), token=token)
    total = sum(path.stat().st_size for path in files.values() if isinstance(path, Path))
    with ExitStack() as stack:
        bar = stack.enter_context(
            Bar(f"Uploading to {repo}", total=total, show=is_shown(progress), in_bytes=True)
        )
        counter = UploadCounter(bar)
        head = _call(repo, lambda: _repository(api, repo, private=private))
        stack.enter_context(_quiet())
        additions = [_addition(name, data, counter, stack) for name, data in files.items()]
        present = {sibling.rfilename for sibling in head.siblings or []}
        gone = [
            CommitOperationDelete(name) for name in PUSHED_FILES if name in present - files.keys()
        ]
        counter.is_counting = True
        _call(repo, lambda: api.preupload_lfs_files(repo, additions, free_memory=False), counter)
        return _commit(api, repo, [*additions, *gone], head, message)


def fetch_published(repo: str, file: str, *, token: str | None) -> bytes | None:
    """Fetches a file of the repository; None if it does not exist. Raises: PushError."""
    from huggingface_hub import get_session, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError
    from huggingface_hub.utils._headers import build_hf_headers
    from huggingface_hub.utils._http import hf_raise_for_status

    def fetch() -> bytes | None:
        url = hf_hub_url(repo, file, endpoint=environment.endpoint())
        answer = get_session().get(
            url,
            headers=build_hf_headers(token=token),
            timeout=environment.timeout(),
            follow_redirects=True,
        )
        try:
            hf_raise_for_status(answer)
        except (EntryNotFoundError, RepositoryNotFoundError):
            return None
        return answer.content

    return _call(repo, fetch)


def _addition(
    name: str, data: Path | bytes, counter: UploadCounter, stack: ExitStack
) -> CommitOperationAdd:
    from huggingface_hub import CommitOperationAdd  # deferred: slow

    file = data if isinstance(data, bytes) else stack.enter_context(LargeFile(data, counter))
    return CommitOperationAdd(name, file)


def _repository(api: HfApi, repo: str, *, private: bool) -> ModelInfo:
    """The repository, created if it does not exist. Raises: PushError for a repository of another
    owner or kind, or a public one that shall be private."""
    from huggingface_hub.errors import RepositoryNotFoundError  # deferred: slow

    try:
        info = api.model_info(repo, timeout=environment.timeout())
    except RepositoryNotFoundError:
        api.create_repo(repo, private=private, exist_ok=True)
        return api.model_info(repo, timeout=environment.timeout())
    if private and not info.private:
        raise PushError(
            _failure(repo),
            "It shall be private, but the repository exists and is public.",
            f"Make it private at {api.endpoint}/{repo}/settings, or choose another name.",
        )
    names = [sibling.rfilename for sibling in info.siblings or []]
    others = [name for name in names if name not in (".gitattributes", "README.md")]
    if others and CARD not in others:
        raise PushError(
            _failure(repo),
            f"The repository holds something else: {join_first(others, MAX_FILES_SHOWN)}.",
            "Choose another name.",
        )
    return info


def _commit(
    api: HfApi,
    repo: str,
    operations: list[CommitOperationAdd | CommitOperationDelete],
    head: ModelInfo,
    message: str,
) -> Commit:
    commit = _call(
        repo,
        lambda: api.create_commit(repo, operations, commit_message=message, parent_commit=head.sha),
        fix=FIX_UNCERTAIN,
    )
    return Commit(commit.oid, f"{api.endpoint}/{repo}")


def _call(
    repo: str,
    call: Callable[[], Answer],
    counter: UploadCounter | None = None,
    *,
    fix: str = FIX_UNPUBLISHED,
) -> Answer:
    """Calls the Hub's client, and gives the call up if no bytes move.

    fix: of a connection error's message.
    """
    progress = (lambda: counter.bytes) if counter else int
    with _push_errors(repo, fix):
        try:
            return within(call, seconds=window(), done=progress, case=SILENT)
        except BaseException:
            if counter:
                counter.is_over = True
            raise


@contextmanager
def _push_errors(repo: str, fix: str) -> Iterator[None]:
    """Turns exceptions of the Hub's client into a PushError."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    try:
        yield
    except PushError:
        raise
    except TransientError as error:
        raise PushError(_failure(repo, fix), error.case, fix) from error
    except (HfHubHTTPError, httpx2.RequestError, RuntimeError, ValueError) as error:
        cause = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error
        if isinstance(cause, HfHubHTTPError):
            raise _refusal(repo, cause, fix) from error
        if isinstance(cause, httpx2.RequestError):
            raise PushError(_failure(repo, fix), connection_error(cause).case, fix) from error
        reason = str(cause).strip().partition("\n")[0].rstrip(".") or type(cause).__name__
        raise PushError(_failure(repo, fix), f"{reason}.", fix) from error


def _refusal(repo: str, error: HfHubHTTPError, fix: str) -> PushError:
    """The error for a refusal of the Hub, by its HTTP status."""
    status, owner = error.response.status_code, repo.partition("/")[0]
    page = f"{environment.endpoint()}/settings/tokens"
    if status == 401:
        case = "The Hub does not know this token, or it has expired."
        return PushError(_failure(repo), case, f"Make another at {page}, with the right to write.")
    if status in (403, 404):
        case = f"This token may not write what belongs to '{owner}'."
        advice = f"Push to a name of your own, or make a token that may write there: {page}"
        return PushError(_failure(repo), case, advice)
    if status == 412:
        case = "Somebody else has pushed to it in the meantime."
        return PushError(_failure(repo), case, FIX_UNPUBLISHED)
    first = (error.server_message or "").partition("\n")[0].rstrip(".")
    case = f"The Hub answers {status}" + (f": {first}." if first else ".")
    return PushError(_failure(repo), case, fix)


def _failure(repo: str, fix: str = FIX_UNPUBLISHED) -> str:
    outcome = "was not published" if fix == FIX_UNPUBLISHED else "may be published or not"
    return f"'{repo}' {outcome}."


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides the progress bars of the Hub's client, and logs its messages as the zoo's."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    def log_as_ours(record: logging.LogRecord) -> bool:
        log.info("%s", " ".join(record.getMessage().split()))
        return False

    clients = [logging.getLogger(f"huggingface_hub.{name}") for name in CLIENT_MODULES]
    shown = not are_progress_bars_disabled()
    for client in clients:
        client.addFilter(log_as_ours)
    disable_progress_bars()
    try:
        yield
    finally:
        for client in clients:
            client.removeFilter(log_as_ours)
        if shown:
            enable_progress_bars()
