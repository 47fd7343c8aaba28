"""What a hostile request is, and how one is written."""

from __future__ import annotations

from dataclasses import dataclass

TOKEN = "a-token-of-the-hostile-tests"
MOST_BYTES = 1_000_000  # of a body
RECEIVE = 2.0  # seconds in which headers, and bodies, have to come
CLOSED = 0  # in the place of a status: closed without an answer
JSON = "application/json"


@dataclass(frozen=True)
class Hostile:
    """A request. parts: what is sent, with `pause` seconds between two; statuses: of which each
    answer has one; answers: how many have to come, at least; leaves: whether the client goes away
    without reading."""

    name: str
    parts: tuple[bytes, ...]
    statuses: tuple[int, ...]
    answers: int = 1
    pause: float = 0.0
    is_head: bool = False
    leaves: bool = False


def http(
    body: bytes = b"",
    *headers: str | bytes,
    method: str = "POST",
    target: str = "/v1/detect",
    kind: str | None = "application/octet-stream",
    token: str | None = TOKEN,
    length: str | None = "",
    close: bool = True,
) -> bytes:
    """The bytes of a request that is right but for what is given. length: "" is the right one."""
    lines: list[str | bytes] = [f"{method} {target} HTTP/1.1", "Host: zoo.example"]
    lines += [f"Authorization: Bearer {token}"] if token is not None else []
    lines += [f"Content-Type: {kind}"] if kind is not None else []
    lines += [f"Content-Length: {length or len(body)}"] if length is not None else []
    lines += ["Connection: close"] if close else []
    encoded = [
        line if isinstance(line, bytes) else line.encode("latin-1") for line in (*lines, *headers)
    ]
    return b"\r\n".join(encoded) + b"\r\n\r\n" + body
