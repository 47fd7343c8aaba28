"""Limits of connections: their number, and the time for sending a request's headers, so that idle
clients don't hold them open."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from zoo.serve import log
from zoo.serve.envelope import HEADER_BYTES
from zoo.serve.refusal import Refusal, body_of

REQUEST = "The request can't be read."
BUSY = Refusal(503, REQUEST, "Too many connections are open.", "Try again in a second.")
LATE = Refusal(408, REQUEST, "Its headers were not received in time.", "Send them at once.")
BROKEN = Refusal(
    400,
    REQUEST,
    f"It is not HTTP/1.1, or its headers have more than {HEADER_BYTES // 1024} kB.",
    "Use a client library, or curl.",
)


class Connection(H11Protocol):
    """One connection.

    receive_seconds: within which the headers of a request must be received.
    max_connections: that may be open at a time.
    """

    def __init__(
        self, *arguments: Any, receive_seconds: float, max_connections: int, **settings: Any
    ) -> None:
        super().__init__(*arguments, **settings)
        self._receive_seconds = receive_seconds
        self._max_connections = max_connections
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its own
        """Starts waiting for a request, or refuses it if too many connections are open."""
        super().connection_made(transport)
        if len(self.connections) > self._max_connections:
            self._end(BUSY)
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        """Handles received bytes; the time limit runs until the headers are complete."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the time limit."""
        self._forget()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the signature is uvicorn's
        """Answers a request that is not HTTP."""
        self._end(BROKEN)

    def _watch(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget()
        elif self._timer is None and not self.transport.is_closing():
            self._timer = self.loop.call_later(self._receive_seconds, self._end, LATE)

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self, error: Refusal) -> None:
        """Answers with an error unless an answer has begun, and closes the connection."""
        self._forget()
        if self.transport.is_closing():
            return
        request_id = uuid.uuid4().hex
        body = body_of(error, request_id)
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
            ("x-request-id", request_id),
        ]
        if error.status == 503:
            headers.append(("retry-after", "1"))
        try:
            start = h11.Response(status_code=error.status, headers=headers)
            parts = (start, h11.Data(data=body), h11.EndOfMessage())
            self.transport.write(b"".join(self.conn.send(part) or b"" for part in parts))
            self._note(error, request_id)
        except h11.LocalProtocolError:  # an answer has begun
            pass
        self.transport.close()

    def _note(self, error: Refusal, request_id: str) -> None:
        """Logs a request that did not reach the application."""
        client = self.client[0] if self.client else None
        fields = {"request_id": request_id, "status": error.status}
        fields["error"] = f"{error.failure} {error.case}"
        log.event("refused", {**fields, "client": client})
