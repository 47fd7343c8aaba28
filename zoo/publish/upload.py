"""Uploads files as one commit to a repository of the Hub: all of them are there then, or none.

Large files go first, unseen; the commit that names them comes last.
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
from zoo.publish.result_folder import OURS
from zoo.registry.folder import CARD
from zoo.text import listed
from zoo.weights.deadline import window, within
from zoo.weights.progress import FileBar, bar_type
from zoo.weights.retry import TransientError, connection_error

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.hf_api import ModelInfo

log = logging.getLogger("zoo")
Answer = TypeVar("Answer")

SILENT = "The Hub fell silent."
AGAIN = "Nothing was published. Push again: what has arrived of large files is not sent twice."
UNSURE = "Whether the last step was done is not known. Push again: what is there is not sent twice."
CLIENT = ("_commit_api", "hf_api", "utils._http")  # modules of the Hub's client that log
SHOWN = 5  # files that a message names


@dataclass(frozen=True)
class Commit:
    """A commit on the Hub, and the page of its repository."""

    id: str
    url: str


class Sent:
    """Counts the bytes of large files that were sent, and lets a call that was given up end."""

    def __init__(self, shown: FileBar) -> None:
        self.bytes = 0
        self.counts = False  # they are hashed first
        self.over = False
        self._shown = shown

    def add(self, count: int) -> None:
        """Raises: OSError once the call was given up."""
        if self.over:
            raise OSError("given up")
        if self.counts:
            self.bytes += count
            self._shown.update(count)


class LargeFile(io.BufferedReader):
    """A file that is being sent."""

    def __init__(self, path: Path, sent: Sent) -> None:
        super().__init__(io.FileIO(path))
        self._sent = sent

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes, counted."""
        data = super().read(size)
        self._sent.add(len(data))
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
    """Makes the repository, unless it is there, and commits the files to it.

    Raises: PushError; nothing was published then, or the message says that this is not known.
    """
    from huggingface_hub import CommitOperationDelete, HfApi  # deferred: slow

    api = HfApi(endpoint=environment.endpoint(), token=token)
    total = sum(path.stat().st_size for path in files.values() if isinstance(path, Path))
    with ExitStack() as stack:
        shown = stack.enter_context(bar_type(progress)(desc=f"Uploading to {repo}", total=total))
        sent = Sent(shown)
        head = _call(repo, lambda: _repository(api, repo, private=private))
        stack.enter_context(_quiet())
        additions = [_addition(name, data, sent, stack) for name, data in files.items()]
        present = {sibling.rfilename for sibling in head.siblings or []}
        gone = [CommitOperationDelete(name) for name in OURS if name in present - files.keys()]
        sent.counts = True
        _call(repo, lambda: api.preupload_lfs_files(repo, additions, free_memory=False), sent)
        return _commit(api, repo, [*additions, *gone], head, message)


def published(repo: str, file: str, *, token: str | None) -> bytes | None:
    """A file of the repository as it is now; None if there is none. Raises: PushError."""
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


def _addition(name: str, data: Path | bytes, sent: Sent, stack: ExitStack) -> CommitOperationAdd:
    from huggingface_hub import CommitOperationAdd  # deferred: slow

    file = data if isinstance(data, bytes) else stack.enter_context(LargeFile(data, sent))
    return CommitOperationAdd(name, file)


def _repository(api: HfApi, repo: str, *, private: bool) -> ModelInfo:
    """The repository as it is now, made if there is none. Raises: PushError for one that is
    somebody else's or something else, and for a public one where it is to be private."""
    from huggingface_hub.errors import RepositoryNotFoundError  # deferred: slow

    try:
        info = api.model_info(repo, timeout=environment.timeout())
    except RepositoryNotFoundError:
        api.create_repo(repo, private=private, exist_ok=True)
        return api.model_info(repo, timeout=environment.timeout())
    if private and not info.private:
        raise PushError(
            _asked(repo),
            "It is to be private, and the repository is there already and public.",
            f"Make it private at {api.endpoint}/{repo}/settings, or choose another name.",
        )
    names = [sibling.rfilename for sibling in info.siblings or []]
    others = [name for name in names if name not in (".gitattributes", "README.md")]
    if others and CARD not in others:
        raise PushError(
            _asked(repo),
            f"The repository holds something else: {listed(others, SHOWN)}.",
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
    made = _call(
        repo,
        lambda: api.create_commit(repo, operations, commit_message=message, parent_commit=head.sha),
        case=UNSURE,
    )
    return Commit(made.oid, f"{api.endpoint}/{repo}")


def _call(
    repo: str, call: Callable[[], Answer], sent: Sent | None = None, *, case: str = AGAIN
) -> Answer:
    """The answer of the Hub's client, which is given up where nothing moves."""
    moved = (lambda: sent.bytes) if sent else int
    with _explained(repo, case):
        try:
            return within(call, seconds=window(), done=moved, case=SILENT)
        except BaseException:
            if sent:
                sent.over = True
            raise


@contextmanager
def _explained(repo: str, again: str) -> Iterator[None]:
    """Turns what the Hub's client raises into a PushError."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    try:
        yield
    except PushError:
        raise
    except TransientError as error:
        raise PushError(_asked(repo, again), error.case, again) from error
    except (HfHubHTTPError, httpx2.RequestError, RuntimeError, ValueError) as error:
        cause = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error
        if isinstance(cause, HfHubHTTPError):
            raise _refused(repo, cause, again) from error
        if isinstance(cause, httpx2.RequestError):
            raise PushError(_asked(repo, again), connection_error(cause).case, again) from error
        said = str(cause).strip().partition("\n")[0].rstrip(".") or type(cause).__name__
        raise PushError(_asked(repo, again), f"{said}.", again) from error


def _refused(repo: str, error: HfHubHTTPError, again: str) -> PushError:
    """The Hub's refusals, each with what to do about it."""
    status, owner = error.response.status_code, repo.partition("/")[0]
    page = f"{environment.endpoint()}/settings/tokens"
    if status == 401:
        case = "The Hub does not know this token, or it has expired."
        return PushError(_asked(repo), case, f"Make another at {page}, with the right to write.")
    if status in (403, 404):
        case = f"This token may not write what belongs to '{owner}'."
        fix = f"Push to a name of your own, or make a token that may write there: {page}"
        return PushError(_asked(repo), case, fix)
    if status == 412:
        case = "Somebody else has pushed to it in the meantime."
        return PushError(_asked(repo), case, AGAIN)
    first = (error.server_message or "").partition("\n")[0].rstrip(".")
    said = f"The Hub answers {status}" + (f": {first}." if first else ".")
    return PushError(_asked(repo), said, again)


def _asked(repo: str, again: str = AGAIN) -> str:
    known = "was not published" if again == AGAIN else "may be published or not"
    return f"'{repo}' {known}."


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the Hub's client from drawing bars and logging retries of its own."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    def noted(record: logging.LogRecord) -> bool:
        log.info("%s", " ".join(record.getMessage().split()))
        return False

    clients = [logging.getLogger(f"huggingface_hub.{name}") for name in CLIENT]
    shown = not are_progress_bars_disabled()
    for client in clients:
        client.addFilter(noted)
    disable_progress_bars()
    try:
        yield
    finally:
        for client in clients:
            client.removeFilter(noted)
        if shown:
            enable_progress_bars()
