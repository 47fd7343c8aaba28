"""Middleware around every request: gives it an id, checks its token, logs and counts it, and turns
every error into an answer in three parts."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import uuid
from time import perf_counter
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect

from zoo.errors import ZooError
from zoo.printable import printable
from zoo.serve import log
from zoo.serve.gate import Gate
from zoo.serve.metrics import Metrics
from zoo.serve.refusal import Refusal, body_of, status_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

GUARDED = ("/v1/", "/metrics")
ROUTES = ("/", "/v1/detect", "/v1/models", "/metrics", "/healthz", "/readyz", "/openapi.json")
HEADER_BYTES = 32 * 1024
REFUSED = "The request was refused."
CLOSE = {"Connection": "close"}
OTHER = "other"  # the path of unknown routes in the metrics
GONE = 499  # status in the log of a request whose client left before its answer
_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
_SAFE = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]


class Envelope:
    """Wraps a server's application.

    gate:   knows whether the server is shutting down, so that connections are closed.
    tokens: one of which a guarded request must carry; without tokens nothing is guarded.
    """

    def __init__(
        self, app: ASGIApp, *, metrics: Metrics, gate: Gate, tokens: tuple[str, ...]
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._gate = gate
        self._tokens = [hashlib.sha256(token.encode()).digest() for token in tokens]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = {name: value for name, value in reversed(scope["headers"])}
        answer = Answer(send, _id_of(headers), self._gate)
        scope.setdefault("state", {})["answer"] = answer
        began = perf_counter()
        try:
            await self._answer(scope, receive, answer, headers)
        finally:
            self._note(scope, answer, perf_counter() - began)

    async def _answer(
        self, scope: Scope, receive: Receive, answer: Answer, headers: dict[bytes, bytes]
    ) -> None:
        try:
            self._check_framing(scope, headers)
            if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_BYTES:
                case = f"Its headers have more than {HEADER_BYTES // 1024} kB."
                raise Refusal(431, REFUSED, case, "Send fewer or shorter ones.", headers=CLOSE)
            if scope["path"].startswith(GUARDED):
                self._check_token(headers)
            await self._app(scope, receive, answer.send)
        except ZooError as error:
            await answer.fail(error)
        except ClientDisconnect:
            answer.status = GONE
        except Exception:
            log.log.exception("failed", extra={"fields": {"request_id": answer.request_id}})
            if answer.status:  # it has begun, and can only be broken off
                raise
            fix = "Tell whoever runs the server, with the request id."
            await answer.fail(Refusal(500, "The request failed.", "The server is at fault.", fix))

    def _check_framing(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        """Raises: Refusal (400) where a proxy in front may take a request to end elsewhere."""
        if scope["http_version"] not in ("1.0", "1.1"):
            case = f"It is HTTP/{scope['http_version']:.10}."
            raise Refusal(400, REFUSED, case, "Speak HTTP/1.1.", headers=CLOSE)
        if b"content-length" in headers and b"transfer-encoding" in headers:
            case = "It has both Content-Length and Transfer-Encoding."
            raise Refusal(400, REFUSED, case, "Send one of them.", headers=CLOSE)

    def _check_token(self, headers: dict[bytes, bytes]) -> None:
        """Raises: Refusal (401). Every token is compared, in a time that tells nothing of them."""
        if not self._tokens:
            return
        scheme, _, sent = headers.get(b"authorization", b"").partition(b" ")
        digest = hashlib.sha256(sent.strip()).digest()
        matches = [hmac.compare_digest(digest, token) for token in self._tokens]
        if scheme.lower() != b"bearer" or not any(matches):
            raise Refusal(
                401,
                REFUSED,
                "It has no bearer token, or a wrong one.",
                "Send the header Authorization: Bearer TOKEN",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def _note(self, scope: Scope, answer: Answer, seconds: float) -> None:
        path = scope["path"] if scope["path"] in ROUTES else OTHER
        self._metrics.request(path, answer.status, seconds)
        fields: dict[str, Any] = {
            "request_id": answer.request_id,
            "method": printable(scope["method"], limit=20),
            "path": printable(scope["path"], limit=200),
            "status": answer.status,
            "ms": round(1000 * seconds, 1),
            "client": scope["client"][0] if scope.get("client") else None,
            **answer.facts,
        }
        bad = answer.status >= 500 or not answer.status
        log.event("request", fields, level=logging.WARNING if bad else logging.INFO)


class Answer:
    """The answer to one request. facts: further fields for the log."""

    def __init__(self, send: Send, request_id: str, gate: Gate) -> None:
        self._send = send
        self._gate = gate
        self.request_id = request_id
        self.status = 0
        self.facts: dict[str, object] = {}

    async def send(self, message: Message) -> None:
        """Sends one ASGI message, the first with the headers of every answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            names = {name.lower() for name, _ in headers}
            headers += [(name, value) for name, value in _SAFE if name not in names]
            headers.append((b"x-request-id", self.request_id.encode()))
            if self._gate.is_draining and b"connection" not in names:
                headers.append((b"connection", b"close"))
            message = {**message, "headers": headers}
        await self._send(message)

    async def fail(self, error: ZooError) -> None:
        """Answers with an error."""
        body = body_of(error, self.request_id)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        headers |= error.headers if isinstance(error, Refusal) else {}
        self.facts["error"] = printable(f"{error.failure} {error.case}", limit=300)
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        status = status_of(error)
        await self.send({"type": "http.response.start", "status": status, "headers": encoded})
        await self.send({"type": "http.response.body", "body": body})


def _id_of(headers: dict[bytes, bytes]) -> str:
    """The client's id of the request if it is safe in a log, else a new one."""
    sent = headers.get(b"x-request-id", b"").decode("latin-1")
    return sent if _ID.fullmatch(sent) else uuid.uuid4().hex
