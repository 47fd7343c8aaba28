"""Connections that are not held open by those who send nothing: headers have to come in time, and
only a set number may be open."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from zoo.serve import log
from zoo.serve.envelope import HEADER_BYTES
from zoo.serve.refusal import Refusal, body_of

REQUEST = "The request can't be read."
BUSY = Refusal(503, REQUEST, "Too many connections are open.", "Come again in a second.")
LATE = Refusal(408, REQUEST, "Its headers did not come in time.", "Send them at once.")
BROKEN = Refusal(
    400,
    REQUEST,
    f"It is not HTTP/1.1, or its headers have more than {HEADER_BYTES // 1024} kB.",
    "Use a client library, or curl.",
)


class Connection(H11Protocol):
    """One connection.

    receive: seconds in which the headers of a request have to come.
    most:    connections that may be open.
    """

    receive: ClassVar[float] = 15.0
    most: ClassVar[int] = 1000

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its own
        """Begins to wait for a request."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._end(BUSY)
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        """Takes what came; the time for headers runs while they are not whole."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the waiting."""
        self._forget()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the signature is uvicorn's
        """Answers what is not HTTP."""
        self._end(BROKEN)

    def _watch(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget()
        elif self._timer is None and not self.transport.is_closing():
            self._timer = self.loop.call_later(self.receive, self._end, LATE)

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self, error: Refusal) -> None:
        """Answers with an error where no answer has begun, and closes."""
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
        except h11.LocalProtocolError:  # an answer is on its way
            pass
        self.transport.close()

    def _note(self, error: Refusal, request_id: str) -> None:
        """Logs what no application has seen."""
        client = self.client[0] if self.client else None
        fields = {"request_id": request_id, "status": error.status, "error": error.case}
        log.event("refused", {**fields, "client": client})
