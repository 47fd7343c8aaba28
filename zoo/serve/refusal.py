"""Errors of requests: their HTTP status, and their three parts as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping

from zoo.errors import ImageError, NameAmbiguous, NameNotFound, Part, UsageError, ZooError

# What an image or a request is at fault for; whatever else goes wrong is the server's: 500.
STATUS: tuple[tuple[type[ZooError], int], ...] = (
    (NameNotFound, 404),
    (NameAmbiguous, 404),
    (ImageError, 422),
    (UsageError, 422),
)
OF_THE_IMAGE = (413, 415, 422)  # refusals that are
AGAIN_SECONDS = 1


class Refusal(ZooError):
    """A request that is refused or given up, with its HTTP status and further headers."""

    def __init__(
        self,
        status: int,
        what: Part,
        case: Part,
        fix: Part,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what, case, fix)
        self.status = status
        self.headers = dict(headers or {})


def busy(what: str, case: str) -> Refusal:
    """The refusal of a request that may succeed in a moment."""
    return Refusal(
        503,
        what,
        case,
        "Send it again after the seconds that Retry-After says.",
        headers={"Retry-After": str(AGAIN_SECONDS)},
    )


def status_of(error: ZooError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, Refusal):
        return error.status
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def kind_of(error: ZooError) -> str:
    """The name of the error that a client raises for it: ServerError unless the request, or its
    image, is at fault."""
    if isinstance(error, Refusal):
        return "ImageError" if error.status in OF_THE_IMAGE else "ServerError"
    return next((kind.__name__ for kind, _ in STATUS if isinstance(error, kind)), "ServerError")


def body_of(error: ZooError, request_id: str) -> bytes:
    """The JSON of an error; `next` is in the words of the command line, which the server is run
    by."""
    parts = {"what": error.asked, "why": error.case, "next": error.fix_cli}
    body = {"error": {"kind": kind_of(error), **parts}, "request_id": request_id}
    return json.dumps(body).encode() + b"\n"
