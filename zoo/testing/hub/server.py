"""The HTTP/1.1 server of a loopback Hub: sends responses, or fails as a `Fault` says."""

from __future__ import annotations

import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from zoo.testing.hub.fault import Fault
from zoo.testing.hub.response import Response, refusal

CHUNK_BYTES = 1 << 14
_NEVER_BEGUN = {
    "drip_headers": (b"HTTP/1.1 200 OK\r\n", b"X-Drip: 1\r\n"),
    "interim": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}
_CUTS = ("truncate", "stall", "reset")  # for an upload, they cut the request short
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, zero seconds


@dataclass
class Request:
    """One request, recorded before its response. `sent` counts the bytes of the body that were
    sent; `status` is 0 if the connection broke before a response."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    sent: int = 0


# The response; for an upload, a function that makes it from the body of the request.
Answer = Response | Callable[[bytes], Response]
Respond = Callable[[str, str, Mapping[str, str]], tuple[Answer, Fault | None]]


class Server:
    """Listens on 127.0.0.1 from `start` to `stop`, which closes all connections and waits for all
    threads.

    respond: returns the response to a method, a path and headers, and the fault to apply to it.
    port:    0 is any free one.
    """

    def __init__(
        self, respond: Respond, record: Callable[[Request], None], *, port: int = 0
    ) -> None:
        self.wanted_port = port
        self.respond = respond
        self.record = record
        self.stopping = threading.Event()
        self._http: _Http | None = None

    @property
    def port(self) -> int:
        """The port, once started."""
        if self._http is None:
            raise RuntimeError("the server is not running: use it in a `with` statement")
        return int(self._http.server_address[1])

    def start(self) -> None:
        """Starts the server in a thread."""
        self._http = _Http(self)
        threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def stop(self) -> None:
        """Closes all connections and waits for all threads."""
        if self._http is not None:
            self.stopping.set()
            self._http.shutdown()
            self._http.hang_up()
            self._http.server_close()


class _Http(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 64

    def __init__(self, owner: Server) -> None:
        self.owner = owner
        self.open: set[socket.socket] = set()
        self.resets: set[socket.socket] = set()
        super().__init__(("127.0.0.1", owner.wanted_port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        if request in self.resets:  # a polite shutdown would send FIN before the RST
            self.resets.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def hang_up(self) -> None:
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores a client that hangs up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def do_GET(self) -> None:
        self._handle()

    def do_HEAD(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are recorded, not printed."""

    def _handle(self) -> None:
        path = unquote(urlsplit(self.path).path)  # requests to a proxy have a whole URL
        answer, fault = self.server.owner.respond(self.command, path, dict(self.headers))
        if callable(answer):
            received = self._receive(answer, path, fault)
            if received is None:
                return
            answer, fault = received, None if fault and fault.kind in _CUTS else fault
        if fault and fault.kind == "status":
            answer, fault = (
                refusal(
                    fault.code,
                    fault.error,
                    f"Misbehaving: {fault.code}",
                    retry_after=fault.retry_after,
                ),
                None,
            )
        if self.command == "GET":
            answer = answer.requested_range(dict(self.headers))
        body = b"" if self.command == "HEAD" else answer.body
        request = Request(self.command, path, answer.status, dict(self.headers))
        self.server.owner.record(request)
        try:
            for piece in self._pieces(answer, body, fault):
                self.wfile.write(piece)
                request.sent += len(piece)
        except OSError:
            self.close_connection = True

    def _receive(
        self, answer: Callable[[bytes], Response], path: str, fault: Fault | None
    ) -> Response | None:
        """The response to an upload; None if the fault breaks the connection at its share of the
        body: before the upload is carried out, or after that if the share is all of it."""
        length = int(self.headers.get("Content-Length") or 0)
        cut = fault if fault and fault.kind in _CUTS else None
        body = self.rfile.read(int(length * cut.at) if cut else length)
        is_complete = len(body) == length
        rejected = fault is not None and fault.kind == "status"
        response = answer(body) if is_complete and not rejected else Response(b"", {})
        if is_complete and cut is None:
            return response
        self.server.owner.record(Request(self.command, path, 0, dict(self.headers)))
        self._break_off(cut or Fault.truncate())
        return None

    def _pieces(self, answer: Response, body: bytes, fault: Fault | None) -> Iterator[bytes]:
        """The pieces of the body in the order of sending; sends the headers before the first."""
        if fault and fault.kind in _NEVER_BEGUN:
            return self._never_begin(_NEVER_BEGUN[fault.kind])
        if fault and fault.kind in ("drip", "endless"):
            return self._without_end(answer, body, fault)
        return self._parts(answer, body, fault)

    def _never_begin(self, lines: tuple[bytes, bytes]) -> Iterator[bytes]:
        self.close_connection = True
        begin, again = lines
        yield begin
        while not self.server.owner.stopping.wait(0.02):
            yield again

    def _without_end(self, answer: Response, body: bytes, fault: Fault) -> Iterator[bytes]:
        self.close_connection = True
        if fault.kind == "drip":
            self._send_head(answer)
            for index in range(len(body)):
                yield body[index : index + 1]
                if self.server.owner.stopping.wait(0.02):
                    break
            return
        self.send_response(answer.status)
        self.end_headers()
        yield body
        while not self.server.owner.stopping.is_set():
            yield bytes(CHUNK_BYTES)

    def _parts(self, answer: Response, body: bytes, fault: Fault | None) -> Iterator[bytes]:
        if self.command == "GET" or fault is None:
            self._send_head(answer)
        cut = int(len(body) * fault.at) if fault else len(body)
        if fault and fault.kind == "wrong_byte":
            body = body[:cut] + bytes([body[cut] ^ 0xFF]) + body[cut + 1 :]
        is_complete = fault is None or fault.kind in ("wrong_byte", "slow")
        for start in range(0, len(body) if is_complete else cut, CHUNK_BYTES):
            yield body[start : min(start + CHUNK_BYTES, len(body) if is_complete else cut)]
            if fault and fault.kind == "slow":
                self.server.owner.stopping.wait(CHUNK_BYTES / fault.rate)
        if fault and not is_complete:
            self._break_off(fault)

    def _send_head(self, answer: Response) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()

    def _break_off(self, fault: Fault) -> None:
        self.close_connection = True
        if fault.kind == "stall":
            while not self.server.owner.stopping.wait(0.02) and not self._client_has_gone():
                continue
        elif fault.kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            self.server.resets.add(self.connection)

    def _client_has_gone(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""
