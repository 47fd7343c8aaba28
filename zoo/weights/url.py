"""Downloads from any web server: resumable, by one process at a time, whole files or none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec

from zoo import environment
from zoo.environment import home
from zoo.errors import OfflineError, SourceError
from zoo.files import move_into_place, shortened, write_file
from zoo.limits import UNREADABLE
from zoo.progress import Bar, is_shown
from zoo.weights.deadline import Pace, window, within
from zoo.weights.disk import check_room, file_lock, saving
from zoo.weights.records import Checksum, key_of, sha256_of
from zoo.weights.retry import RetryPolicy, TransientError, connection_error, status_error

if TYPE_CHECKING:
    from httpx2 import Response

REAL_PROGRESS = 1 << 20
NAME_MOST = 200  # bytes of a file's name; those of its part, note and lock are longer
PART = ".part"


@dataclass(frozen=True)
class Url:
    """A file behind a URL, kept in `$ZOO_HOME/files` under `address`, which is the URL the card
    names, mirrored or not."""

    url: str
    address: str
    revision: str | None = None
    most: int | None = None  # bytes, by what the card says of the size

    @property
    def path(self) -> Path:
        """The file in the cache."""
        last = unquote(urlsplit(self.address).path).rpartition("/")[2]
        name = shortened(re.sub(r"[^\w.+-]", "_", last), NAME_MOST).strip(".") or "file"
        if name.endswith(PART):  # as what is unfinished does
            name += "_"
        return home() / "files" / key_of(self.address) / name

    def find(self) -> Path | None:
        """The file, if it was fetched before."""
        return self.path if self.path.is_file() else None

    def checksums(self) -> tuple[Checksum, ...]:
        """None: an ETag is whatever the server likes."""
        return ()

    def download(self, *, progress: bool | None) -> Path:
        """The file, fetched, or by now fetched by another process."""
        with saving(self.path), file_lock(self.path):
            if not self.path.is_file():
                remove_abandoned(home() / "files", but=self.path)
                part = PartialFile(self.path.with_name(self.path.name + PART), self.url, self.most)
                try:
                    show, name = is_shown(progress), self.path.name
                    with Bar(name, total=None, show=show, in_bytes=True) as bar:
                        _fetch(part, RetryPolicy(self.url), bar)
                    move_into_place(part.path, self.path, read_only=True)
                    part.note.unlink(missing_ok=True)
                finally:
                    part.drop_unless_resumable()
        return self.path

    def remove(self, digest: str) -> None:
        """Removes the file, unless another process has put a better one there."""
        with saving(self.path), file_lock(self.path):
            if self.path.is_file() and sha256_of(self.path) == digest:
                self.path.unlink()


class Version(msgspec.Struct, frozen=True):
    """The version of a file that an unfinished part is of: its URL and strong ETag."""

    url: str
    etag: str


@dataclass(frozen=True)
class PartialFile:
    """A file as far as it has come, and a note next to it that says which version it is a part
    of."""

    path: Path
    url: str
    most: int | None = None

    @property
    def note(self) -> Path:
        """The file that notes the version."""
        return self.path.with_name(self.path.name + ".json")

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def etag(self) -> str | None:
        """The version it is a part of, if it can be continued."""
        try:
            version = msgspec.json.decode(self.note.read_bytes(), type=Version)
        except UNREADABLE:
            return None
        return version.etag if version.url == self.url else None

    def drop_unless_resumable(self) -> None:
        """Removes it if it can't be resumed."""
        if not self.size or not self.etag():
            self.path.unlink(missing_ok=True)
            self.note.unlink(missing_ok=True)

    def check_size(self, total: int | None) -> None:
        """Raises: SourceError where it is, or will be, far larger than the card says."""
        size = max(total or 0, self.size)
        if self.most is not None and size > self.most:
            case = (
                f"The server sends {size / 1e6:,.1f} MB or more, and the card says that it is "
                f"half of {self.most / 1e6:,.1f} MB."
            )
            raise SourceError(
                f"{self.url} can't be fetched.",
                case,
                "Check the address, and `megabytes` on the card.",
            )

    def restart(self, etag: str | None) -> None:
        """Begins again from nothing, with another version; without a strong ETag (RFC 9110, 8.8.3)
        it will not be continued."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)
        if etag and not etag.startswith("W/"):
            write_file(self.note, msgspec.json.encode(Version(self.url, etag)))


def _fetch(part: PartialFile, retries: RetryPolicy, bar: Bar) -> None:
    while True:
        before = part.size
        try:
            return _continue(part, bar)
        except TransientError as error:
            if part.size - before > REAL_PROGRESS:
                retries.renew()
            bar.describe(f"{part.path.stem}: {error.case}")
            retries.wait(error)
            bar.describe(part.path.stem)


def _continue(part: PartialFile, bar: Bar) -> None:
    headers = {"Accept-Encoding": "identity"}
    etag, size = part.etag(), part.size
    if etag and size:
        headers |= {"Range": f"bytes={size}-", "If-Range": etag}
    with _answer(part.url, headers) as response:
        if _is_whole(response, size):
            return bar.move(size, size)
        total = _begin(response, part)
        bar.move(part.size, total)
        part.check_size(total)
        check_room(part.path, (total or 0) - part.size)
        pace = Pace()
        with part.path.open("ab", buffering=0) as file:
            for piece in response.iter_bytes():
                file.write(piece)
                bar.advance(len(piece))
                pace.add(len(piece))
                part.check_size(total)
    if total is not None and part.size != total:
        raise TransientError(f"{part.size} of {total} bytes came.")


def _begin(response: Response, part: PartialFile) -> int | None:
    """Makes the part ready for the answer's body and returns how long it will be in the end, if
    that is known."""
    if response.status_code == 416:
        part.restart(None)
        raise TransientError("The server has no such range.")
    if response.status_code not in (200, 206):
        raise status_error(
            part.url, response.status_code, retry_after=response.headers.get("Retry-After")
        )
    span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    if response.status_code == 206 and span and int(span[1]) == part.size:
        return int(span[2])
    encoded = response.headers.get("Content-Encoding", "identity") != "identity"
    part.restart(None if encoded else response.headers.get("ETag"))
    if response.status_code == 206:
        raise TransientError("The server answered with another range.")
    length = response.headers.get("Content-Length")
    return int(length) if length and not encoded else None


def _is_whole(response: Response, size: int) -> bool:
    """Whether the server has nothing beyond the bytes that have come: a process was killed between
    the last of them and the move."""
    span = re.fullmatch(r"bytes \*/(\d+)", response.headers.get("Content-Range", ""))
    return response.status_code == 416 and span is not None and int(span[1]) == size > 0


def remove_abandoned(folder: Path, *, but: Path) -> None:
    """Removes parts of killed processes that can't be resumed, unless a process holds them."""
    from filelock import FileLock, Timeout

    for path in folder.glob(f"*/*{PART}"):
        target = path.with_suffix("")
        if target == but or path.with_name(path.name + ".json").exists():
            continue
        try:
            with FileLock(target.with_name(target.name + ".lock"), timeout=0):
                path.unlink(missing_ok=True)
        except Timeout:
            continue


@contextmanager
def _answer(url: str, headers: dict[str, str]) -> Iterator[Response]:
    """The answer to a GET, body unread, through the client of huggingface_hub: its proxies,
    certificates and connections."""
    import httpx2
    from huggingface_hub import get_session
    from huggingface_hub.errors import OfflineModeIsEnabled

    session, timeout = get_session(), httpx2.Timeout(environment.timeout())
    try:
        request = session.build_request("GET", url, headers=headers, timeout=timeout)
        send = partial(session.send, request, stream=True, follow_redirects=True)
        with closing(within(send, seconds=window(), case="Its answer does not begin.")) as response:
            yield response
    except (
        OfflineModeIsEnabled
    ) as error:  # the client reads HF_HUB_OFFLINE once, when it is imported
        raise OfflineError(
            f"{url} can't be fetched.", f"{error}", "Start again without HF_HUB_OFFLINE."
        ) from error
    except httpx2.RequestError as error:
        raise connection_error(error) from error
    except (httpx2.InvalidURL, UnicodeEncodeError) as error:
        raise SourceError(
            f"{url} can't be fetched.", f"That is not a URL: {error}.", "Check the address."
        ) from error
