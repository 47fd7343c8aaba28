"""A web server of one folder that wants a name and a password, both in its address."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

from tests.patient_server import PatientServer

PASSWORD = "s3cret"
KEY = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()


class Locked(SimpleHTTPRequestHandler):
    """Gives files to who knows the password."""

    def do_GET(self) -> None:
        if self.headers["Authorization"] == f"Basic {KEY}":
            return super().do_GET()
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="street"')
        self.send_header("Content-Length", "0")
        return self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def locked_server(folder: Path) -> Iterator[str]:
    """The address of a folder, with the password: `http://admin:s3cret@127.0.0.1:8000`."""
    server = PatientServer(("127.0.0.1", 0), partial(Locked, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://admin:{PASSWORD}@127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def shown(address: str) -> str:
    """The address as messages and results have it."""
    return address.replace(f"admin:{PASSWORD}@", "***@")
