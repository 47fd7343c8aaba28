"""The ways in which a server can fail during a transfer, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Fault:
    """One failure of one response. Make it with the functions below: `Fault.truncate()`,
    `Fault.status(503)`.

    at: the share of the body, in [0, 1], that is sent before the fault strikes; that is received,
        for an upload (at 1 the upload is carried out, but the client gets no response).
    """

    kind: Literal[
        "truncate",
        "wrong_byte",
        "status",
        "stall",
        "reset",
        "slow",
        "drip",
        "drip_headers",
        "interim",
        "endless",
    ]
    at: float = 0.5
    code: int = 200
    error: str | None = None
    retry_after: int | None = None
    rate: float = 0.0

    @classmethod
    def truncate(cls, at: float = 0.5) -> Fault:
        """Announces the whole body, sends a part of it, and closes the connection."""
        return cls("truncate", at=at)

    @classmethod
    def wrong_byte(cls, at: float = 0.5) -> Fault:
        """Sends a body of the right length with one wrong byte."""
        return cls("wrong_byte", at=at)

    @classmethod
    def status(
        cls, code: int, *, error: str | None = None, retry_after: int | None = None
    ) -> Fault:
        """Answers with an error; `error` is the Hub's `X-Error-Code`, such as `GatedRepo`."""
        return cls("status", code=code, error=error, retry_after=retry_after)

    @classmethod
    def stall(cls, at: float = 0.5) -> Fault:
        """Sends a part of the body and then nothing, with the connection open."""
        return cls("stall", at=at)

    @classmethod
    def reset(cls, at: float = 0.5) -> Fault:
        """Sends a part of the body and resets the connection."""
        return cls("reset", at=at)

    @classmethod
    def slow(cls, rate: float) -> Fault:
        """Sends the right body at `rate` bytes per second."""
        return cls("slow", rate=rate)

    @classmethod
    def drip(cls) -> Fault:
        """Sends the right body byte by byte, about fifty per second."""
        return cls("drip")

    @classmethod
    def drip_headers(cls) -> Fault:
        """Begins a response and sends headers endlessly."""
        return cls("drip_headers")

    @classmethod
    def interim(cls) -> Fault:
        """Sends `100 Continue` endlessly."""
        return cls("interim")

    @classmethod
    def endless(cls) -> Fault:
        """Sends the body without its length, followed by endless zeros."""
        return cls("endless")
