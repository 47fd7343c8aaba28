"""Runs a server, in the foreground until a signal ends it, or in a thread of a program. It ends
after it has answered every request that it accepted."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Sequence
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from zoo.errors import UsageError, ZooError
from zoo.serve.app import application
from zoo.serve.connection import Connection
from zoo.serve.envelope import HEADER_BYTES
from zoo.serve.gate import Gate
from zoo.serve.metrics import Metrics
from zoo.serve.models import Models
from zoo.serve.options import Options

if TYPE_CHECKING:
    from zoo.contract.predictor import Predictor

BACKLOG = 1024
LAST_READ_SECONDS = 0.2  # during which requests of open connections are still read
SPARE_SECONDS = 5.0  # beyond the limits of a request


class Server:
    """Serves predictors; a context manager runs it in a thread, `run` in the foreground.

    predictors: the models; the first is the default.
    host, port: where it listens, from now on; port 0 is any free one.

    Raises:
        UsageError: the port can't be used, there is no predictor, or two have the same name.
        ContractError: a predictor fails on a gray image.
    """

    def __init__(
        self,
        predictors: Sequence[Predictor],
        *,
        host: str = "127.0.0.1",
        port: int = 8000,
        options: Options | None = None,
    ) -> None:
        self.options = options or Options()
        metrics, self._gate = Metrics(), Gate(self.options.queue)
        self._socket = listening(host, port)
        self._address: tuple[str, int] = self._socket.getsockname()[:2]
        try:
            self.models = Models(predictors, self.options, metrics)
            for served in self.models:
                served.warm()
        except BaseException:
            self._socket.close()
            raise
        inside = "Requests that are admitted and not answered."
        metrics.watch("zoo_requests_inside", inside, lambda: self._gate.inside)
        self._app = application(self.models, self.options, metrics, self._gate)
        self._server = _Uvicorn(self._config(), self._gate)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The server's address."""
        host, port = self._address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def run(self) -> bool:
        """Serves until SIGTERM, SIGINT or `stop`, then answers the requests that were accepted.
        Returns whether all were answered in time."""
        try:
            asyncio.run(self._server.serve(sockets=[self._socket]))
        finally:
            self._socket.close()
            self._app.state.detecting.close()
            finished = self.models.close(seconds=self.options.timeout + SPARE_SECONDS)
        return finished and not self._gate.inside

    def stop(self) -> None:
        """Ends `run`, from any thread, after all accepted requests are answered."""
        self._server.should_exit = True

    def __enter__(self) -> Server:
        self._thread = threading.Thread(target=self.run, name="zoo-serve-loop", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._thread:
            self._thread.join(self._last_answer_seconds)

    @property
    def _last_answer_seconds(self) -> float:
        return self.options.receive + self.options.timeout + SPARE_SECONDS

    def _config(self) -> uvicorn.Config:
        connection = partial(
            Connection,
            receive_seconds=self.options.receive,
            max_connections=self.options.connections,
        )
        return uvicorn.Config(
            self._app,
            http=connection,  # type: ignore[arg-type]  # it is called as a class is
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            h11_max_incomplete_event_size=HEADER_BYTES,
            timeout_keep_alive=max(5, round(self.options.receive)),
            timeout_graceful_shutdown=round(self._last_answer_seconds) + 1,
        )


class _Uvicorn(uvicorn.Server):
    """uvicorn's server, with exit code 0 after a signal; it still reads what clients have sent by
    then."""

    def __init__(self, config: uvicorn.Config, gate: Gate) -> None:
        super().__init__(config)
        self._gate = gate

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature is uvicorn's
        """Ends the server; a second interrupt does not wait for answers."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops listening, answers the accepted requests, and closes connections."""
        self._gate.is_draining = True
        for server in self.servers:
            server.close()
        await asyncio.sleep(LAST_READ_SECONDS)
        await super().shutdown(sockets)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises: UsageError.

    It has TCP_NODELAY: else the body of an answer would wait until the client has acknowledged the
    headers, which takes 40 milliseconds.
    """
    try:
        family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        server = socket.create_server((host, port), family=family, backlog=BACKLOG)
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # its connections inherit it
        return server
    except (OSError, UnicodeError, OverflowError) as error:
        raise unreachable(host, port, error) from error


def unreachable(host: str, port: int, error: Exception) -> ZooError:
    """The error for an address at which the server can't listen."""
    reason = getattr(error, "strerror", None) or error
    return UsageError(
        f"Nothing can be served at {host}:{port}.",
        f"The system says: {reason}.",
        "Choose another --port, or 0 for any free one, and a --host of this machine.",
    )
