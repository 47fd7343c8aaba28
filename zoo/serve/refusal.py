"""Errors of requests, with an HTTP status, and their three parts as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping

from zoo.errors import ImageError, NameAmbiguous, NameNotFound, Part, UsageError, ZooError

# Errors of an image or a request; every other one is the server's: 500.
STATUS: tuple[tuple[type[ZooError], int], ...] = (
    (NameNotFound, 404),
    (NameAmbiguous, 404),
    (ImageError, 422),
    (UsageError, 422),
)
IMAGE_STATUSES = (413, 415, 422)  # of refusals that are about the image
RETRY_AFTER_SECONDS = 1


class Refusal(ZooError):
    """A request is refused or given up. status: of HTTP; headers: further ones."""

    def __init__(
        self,
        status: int,
        failure: Part,
        case: Part,
        fix: Part,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(failure, case, fix)
        self.status = status
        self.headers = dict(headers or {})


def busy(failure: str, case: str) -> Refusal:
    """The refusal of a request that may succeed if it is sent again."""
    return Refusal(
        503,
        failure,
        case,
        "Send it again after the seconds that Retry-After says.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def status_of(error: ZooError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, Refusal):
        return error.status
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def kind_of(error: ZooError) -> str:
    """The name of the error that a client raises: ServerError unless the request or its image is at
    fault."""
    if isinstance(error, Refusal):
        return "ImageError" if error.status in IMAGE_STATUSES else "ServerError"
    return next((kind.__name__ for kind, _ in STATUS if isinstance(error, kind)), "ServerError")


def body_of(error: ZooError, request_id: str) -> bytes:
    """The JSON of an error; `next` names options of the command line, by which the server is
    run."""
    parts = {"what": error.failure, "why": error.case, "next": error.fix_cli}
    body = {"error": {"kind": kind_of(error), **parts}, "request_id": request_id}
    return json.dumps(body).encode() + b"\n"
