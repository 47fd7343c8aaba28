"""A network made to hurt a server that fetches images: names that lead inside, a public site that
redirects there or never ends, and a door inside that counts who comes."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.hostile.hostile_images import good
from tests.patient_server import PatientServer

PUBLIC = "93.184.215.14"  # in this network the site of the tests, and nothing leaves the machine
METADATA = "169.254.169.254"
NAMES = {
    "public.test": [PUBLIC],
    "inside.test": ["10.0.0.5"],
    "mixed.test": [PUBLIC, "192.168.1.1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "local6.test": ["fd00::1"],
    "nat64.test": ["64:ff9b::7f00:1"],
    "metadata.test": [METADATA],
    "zero.test": ["0.0.0.0"],
}


class Pages(BaseHTTPRequestHandler):
    """A public site that can't be trusted."""

    def do_GET(self) -> None:
        """Answers as the path says."""
        kind, _, rest = self.path.removeprefix("/").partition("/")
        with suppress(OSError):  # the client hung up
            getattr(self, f"_{kind}", self._missing)(rest)

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""

    def _image(self, rest: str) -> None:  # noqa: ARG002 - each is given it
        self._send(good())

    def _missing(self, rest: str) -> None:  # noqa: ARG002 - each is given it
        self.send_error(404)

    def _text(self, rest: str) -> None:  # noqa: ARG002 - each is given it
        self._send(b"<html>not an image</html>")

    def _empty(self, rest: str) -> None:  # noqa: ARG002 - each is given it
        self._send(b"")

    def _status(self, rest: str) -> None:
        self.send_error(int(rest))

    def _to(self, rest: str) -> None:
        self.send_response(302)
        self.send_header("Location", rest or "/to/")
        self.end_headers()

    def _short(self, rest: str) -> None:  # noqa: ARG002 - each is given it
        self.send_response(200)
        self.send_header("Content-Length", "5000")
        self.end_headers()
        self.wfile.write(good())

    def _garbage(self, rest: str) -> None:  # noqa: ARG002 - each is given it
        self.wfile.write(b"\x00\xff not http\r\n\r\n" * 10)

    def _nothing(self, rest: str) -> None:
        """Closes without an answer."""

    def _flood(self, rest: str) -> None:  # noqa: ARG002 - each is given it
        self.send_response(200)
        for number in range(5000):
            self.send_header(f"X-{number}", "y" * 100)
        self.end_headers()

    def _long(self, rest: str) -> None:  # noqa: ARG002 - each is given it
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(bytes(2**16))

    def _drip(self, rest: str) -> None:
        if rest == "body":
            self.send_response(200)
            self.end_headers()
        else:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not self.server.is_over:  # type: ignore[attr-defined]
            self.wfile.write(b"y")
            time.sleep(0.05)

    def _send(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Site(PatientServer):
    """Its server."""

    daemon_threads = True
    is_over = False


def family_of(address: str) -> int:
    """Whether it is of IPv4 or IPv6."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Network:
    """Names and addresses as the server sees them. inside: connections to the door inside; looked:
    how often each name was looked up."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.site = Site(("127.0.0.1", 0), Pages)
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.door.getsockname()[1]
        self.inside = 0
        self.looked: list[str] = []
        self._resolve, self._connect = socket.getaddrinfo, socket.create_connection
        patch.setattr(socket, "getaddrinfo", self._resolved)
        patch.setattr(socket, "create_connection", self._connected)
        for loop in (self.site.serve_forever, self._watch):
            threading.Thread(target=loop, daemon=True).start()

    def close(self) -> None:
        """Ends both."""
        self.site.is_over = True
        self.site.shutdown()
        self.site.server_close()
        self.door.close()

    def urls(self) -> list[str]:
        """URLs behind which no image can be had."""
        door, public = self.port, "http://public.test"
        hosts = (
            *("127.0.0.1", "localhost", "LOCALHOST", "127.1", "0", "0.0.0.0", "2130706433"),
            *("0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "127.0.0.1.", "[::1]", "[::]"),
            *(
                "[::ffff:127.0.0.1]",
                "[::ffff:7f00:1]",
                "[0:0:0:0:0:ffff:127.0.0.1]",
                "127.127.127.1",
            ),
            *("[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "[fe80::1%25lo]", "①②⑦.⓪.⓪.①"),
            *("10.0.0.1", "172.16.0.1", "192.168.0.1", METADATA, "100.100.100.200", "224.0.0.1"),
            *("rebind.test", "inside.test", "mixed.test", "mapped.test", "local6.test"),
            *("nat64.test", "metadata.test", "zero.test", "nowhere.test", "a" * 300, "-", "*", "."),
        )
        schemes = (
            *("file:///etc/passwd", "file://localhost/etc/passwd", "ftp://public.test/a.png"),
            *(
                "gopher://public.test:25/_EHLO",
                "dict://127.0.0.1:11211/",
                "data:image/png;base64,YQ",
            ),
            *(
                "javascript:alert(1)",
                "jar:http://public.test!/",
                "//public.test/image",
                "public.test",
            ),
            *("/etc/passwd", "\\\\server\\share", "http:/\\127.0.0.1/", "http:///image", "http://"),
            *(
                "HTTP://",
                "http:public.test",
                "https://public.test:99999/",
                "http://public.test:-1/",
            ),
            *("http://user:password@public.test/image", f"http://public.test@127.0.0.1:{door}/"),
            *(f"http://127.0.0.1:{door}#@public.test/", f"http://127.0.0.1:{door}\\@public.test/"),
            *("http://public.test/\r\nHost: 127.0.0.1", "http://public.test\0.png/", " ", "\ud800"),
            *(f"{public}/{'a' * 3000}", "http://pub lic.test/", "unix:///run/docker.sock", ""),
        )
        paths = (
            *(f"to/http://127.0.0.1:{door}/", f"to/http://rebind.test:{door}/", "to/", "to/to/"),
            *(
                f"to//to/http://localhost:{door}/",
                "to/file:///etc/passwd",
                "to/http://inside.test/",
            ),
            *(
                "to/ftp://public.test/",
                "to/http://user:p@public.test/image",
                f"to///127.0.0.1:{door}/",
            ),
            *(f"to/http://[::ffff:127.0.0.1]:{door}/", f"to/http://0x7f.1:{door}/", "to/http://["),
            *("missing", "status/500", "status/401", "text", "empty", "short/image", "garbage"),
            *("nothing", "flood", "long", "drip/body", "drip/headers"),
        )
        return [
            *(f"http://{host}:{door}/image" for host in hosts),
            *schemes,
            *(f"{public}/{path}" for path in paths),
        ]

    def _watch(self) -> None:
        while True:
            try:
                connection, _ = self.door.accept()
            except OSError:  # it is closed
                return
            self.inside += 1
            connection.close()

    def _resolved(self, host: Any, port: Any, *arguments: Any, **settings: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else host
        if name == "rebind.test":  # a public address first, and the door ever after
            addresses = ["127.0.0.1"] if name in self.looked else [PUBLIC]
        elif isinstance(name, str) and name.endswith(".test"):
            addresses = NAMES.get(name, [])
            if not addresses:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        else:
            return self._resolve(host, port, *arguments, **settings)
        self.looked.append(str(name))
        return [
            (family_of(address), socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
            for address in addresses
        ]

    def _connected(self, address: tuple[Any, int], *arguments: Any, **settings: Any) -> Any:
        if address[0] == PUBLIC:
            address = ("127.0.0.1", self.site.server_port)
        return self._connect(address, *arguments, **settings)
