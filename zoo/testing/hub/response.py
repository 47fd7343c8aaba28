"""The response of a loopback server to one request, before any fault and range."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Response:
    """A status, headers and a body; `Content-Length` is added when it is sent."""

    body: bytes
    headers: Mapping[str, str]
    status: int = 200

    @classmethod
    def json(
        cls, value: object, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        """A response of the API."""
        return cls(
            json.dumps(value).encode(),
            {"Content-Type": "application/json", **(headers or {})},
            status=status,
        )

    def requested_range(self, headers: Mapping[str, str]) -> Response:
        """The part that the `Range` header names (RFC 9110, section 14), unless `If-Range`
        names another version."""
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("Range", ""))
        if (
            self.status != 200
            or not match
            or headers.get("If-Range", self.headers.get("ETag")) != self.headers.get("ETag")
        ):
            return self
        first, size = int(match[1]), len(self.body)
        last = min(int(match[2] or size - 1), size - 1)
        if first > last:
            return replace(
                self,
                body=b"",
                status=416,
                headers={**self.headers, "Content-Range": f"bytes */{size}"},
            )
        part = {**self.headers, "Content-Range": f"bytes {first}-{last}/{size}"}
        return replace(self, body=self.body[first : last + 1], status=206, headers=part)


def refusal(
    status: int,
    code: str | None,
    message: str,
    *,
    commit: str | None = None,
    retry_after: int | None = None,
) -> Response:
    """An error response with the Hub's own headers."""
    headers = {"X-Error-Code": code, "X-Error-Message": message, "X-Repo-Commit": commit}
    headers["Retry-After"] = None if retry_after is None else str(retry_after)
    return Response.json(
        {"error": message},
        status=status,
        headers={name: value for name, value in headers.items() if value},
    )
