"""An image that looks different from every side, and a web server that misbehaves on demand."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import numpy as np
import PIL.Image
import pytest

from tests.patient_server import PatientServer

Serve = Callable[[BaseHTTPRequestHandler], None]
Encode = Callable[..., bytes]


@pytest.fixture
def pixels() -> np.ndarray[Any, Any]:
    """(9, 14, 3) uint8 in RGB: no two rows, columns or channels agree."""
    return np.random.default_rng(7).integers(0, 256, (9, 14, 3), dtype=np.uint8)


@pytest.fixture
def encode() -> Encode:
    """A PIL image to the bytes of a file."""

    def to_bytes(image: PIL.Image.Image, format: str = "PNG", **options: object) -> bytes:
        file = io.BytesIO()
        image.save(file, format, **options)
        return file.getvalue()

    return to_bytes


@pytest.fixture
def web() -> Iterator[Callable[[Serve], str]]:
    """Starts an HTTP server on this machine that answers every GET as the given function does;
    returns its address."""
    running = []

    def start(answer: Serve) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def log_message(self, *_: object) -> None:
                pass

        server = PatientServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()
