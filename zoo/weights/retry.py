"""Retries downloads after transient errors, with back-off, and words the final error."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from zoo import environment
from zoo.errors import SourceError

if TYPE_CHECKING:
    from httpx2 import HTTPError

log = logging.getLogger("zoo")
Result = TypeVar("Result")

TRANSIENT_STATUSES = {408, 425, 429, 500, 502, 503, 504}
LONGEST_WAIT = 60.0
TRY_LATER = (
    "Try again later, or use weights from another place: file:PATH, or a mirror in ZOO_MIRRORS."
)
CHECK_PATH = "Check the address; the file may have been moved or withdrawn."


class TransientError(Exception):
    """A failure that may be over at the next try; `wait` is what the server asked for, in
    seconds."""

    def __init__(self, case: str, wait: float | None = None) -> None:
        super().__init__(case)
        self.case = case
        self.wait = wait


class RetryPolicy:
    """Counts the failed tries for one file, and waits between them."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._tries = 0

    def wait(self, error: TransientError) -> None:
        """Sleeps before the next try, twice as long each time.

        Raises:
            SourceError: there have been enough tries, or the server asks for too long a wait.
        """
        self._tries += 1
        seconds = error.wait
        if seconds is None:
            seconds = min(0.5 * 2 ** (self._tries - 1), environment.timeout())
        if self._tries > environment.retries() or seconds > LONGEST_WAIT:
            asks = f" It asks to wait {error.wait:g} s." if error.wait else ""
            raise SourceError(
                f"{self._address} can't be fetched.", f"{error.case}{asks}", TRY_LATER
            ) from error
        log.info("%s: %s Trying again in %g s.", self._address, error.case, seconds)
        time.sleep(seconds)

    def renew(self) -> None:
        """Counts from the start: the last try made real progress."""
        self._tries = 0


def with_retries(attempt: Callable[[], Result], address: str) -> Result:
    """The result of `attempt`, at the first try that works."""
    retries = RetryPolicy(address)
    while True:
        try:
            return attempt()
        except TransientError as error:
            retries.wait(error)


def connection_error(error: HTTPError) -> TransientError:
    """A connection that failed, in words."""
    import httpx2

    host = error.request.url.host if getattr(error, "_request", None) else "the server"
    if isinstance(error, httpx2.ConnectError | httpx2.ProxyError):
        return TransientError(f"There is no connection to {host} ({error}).")
    if isinstance(error, httpx2.TimeoutException):
        return TransientError(f"{host} fell silent.")
    if isinstance(error, httpx2.RemoteProtocolError):
        return TransientError(f"{host} ended its answer early.")
    return TransientError(f"The connection to {host} broke off ({error or type(error).__name__}).")


def status_error(address: str, status: int, *, retry_after: str | None = None) -> Exception:
    """An answer other than a file, as an error: `TransientError`, or a SourceError for good."""
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "unknown status"
    case = f"The server answers {status} {phrase}."
    if status in TRANSIENT_STATUSES:
        return TransientError(
            case, wait=float(retry_after) if retry_after and retry_after.isdigit() else None
        )
    if status in (401, 403, 407):
        return SourceError(
            f"{address} can't be fetched.",
            case,
            "Log in there, or fetch the file by hand and use it as weights: file:PATH.",
        )
    return SourceError(
        f"{address} can't be fetched.", case, CHECK_PATH if status in (404, 410) else TRY_LATER
    )
