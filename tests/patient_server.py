"""A server of files that says nothing of clients that hang up."""

from http.server import ThreadingHTTPServer
from typing import Any


class PatientServer(ThreadingHTTPServer):
    """Leaves standard error to the test that is running by then."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores a client that hangs up."""
