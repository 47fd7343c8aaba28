"""Images behind URLs: from public addresses only, whatever redirects and name servers say."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from tests.patient_server import PatientServer
from zoo.errors import ImageError
from zoo.images import Limits
from zoo.serve.fetch import Address, fetch, is_public

PRIVATE = (
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
    *("100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fc00::1", "ff02::1"),
    *("64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::", "fec0::1"),
    *("::127.0.0.1", "::8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1", "64:ff9b:1::808:808"),
)
PUBLIC = ("8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8")
LIMITS = Limits(seconds=5, download=1000)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_known(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(ImageError, match="not public"):
        fetch(
            "http://images.example/a.png",
            limits=LIMITS,
            resolve=lambda host, port: [ipaddress.ip_address(address)],
        )


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://2130706433/"),
        *("http://0x7f.1/", "http://017700000001/", "http://[::ffff:127.0.0.1]/"),
        *("file:///etc/passwd", "ftp://8.8.8.8/", "http://user:secret@8.8.8.8/", "http://", "x"),
        *("gopher://8.8.8.8/", f"http://8.8.8.8/{'a' * 3000}", "http://\x00/", "http://a b/"),
    ],
)
def test_what_is_no_public_address_is_not_fetched(url: str) -> None:
    with pytest.raises(ImageError) as refused:
        fetch(url, limits=LIMITS)
    assert "secret" not in str(refused.value)


class Handler(BaseHTTPRequestHandler):
    """Redirects, content, and content without end."""

    def do_GET(self) -> None:
        self.server.hosts.append(self.headers["Host"])  # type: ignore[attr-defined]
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/") or "/to/")
            self.end_headers()
            return
        if self.path == "/missing":
            self.send_error(404)
            return
        if self.path == "/drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while True:  # until the client hangs up
                self.wfile.write(b"y")
                time.sleep(0.02)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"content" if self.path == "/a" else bytes(5000))

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[PatientServer]:
    with PatientServer(("127.0.0.1", 0), Handler) as server:
        server.hosts = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


HERE = ipaddress.ip_address("127.0.0.1")
Get = Callable[[str], bytes]


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def get(site: PatientServer, asked: list[str]) -> Get:
    """Fetches from the site as if it were public, and 10.0.0.1 were not."""

    def resolve(host: str, port: int) -> list[Address]:
        asked.append(host)
        return [ipaddress.ip_address("10.0.0.1") if host == "inside.example" else HERE]

    def made(path: str) -> bytes:
        url = f"http://images.example:{site.server_port}{path}"
        return fetch(url, limits=LIMITS, resolve=resolve, allows=lambda address: address == HERE)

    return made


def test_a_host_is_resolved_once_and_named_to_its_server(
    get: Get, asked: list[str], site: PatientServer
) -> None:
    assert get("/a") == b"content"
    assert asked == ["images.example"]
    assert site.hosts[-1] == f"images.example:{site.server_port}"


def test_redirects_are_followed_and_checked(get: Get, site: PatientServer) -> None:
    assert get("/to//a") == b"content"
    for place in ("http://inside.example/a", "file:///etc/passwd", "http://u:p@images.example/"):
        with pytest.raises(ImageError):
            get(f"/to/{place}")
    with pytest.raises(ImageError, match="redirects more than"):
        get("/to/")


def test_limits_and_errors_are_told(get: Get) -> None:
    with pytest.raises(ImageError, match="larger than"):
        get("/long")
    with pytest.raises(ImageError, match="answered 404"):
        get("/missing")


def test_nothing_is_fetched_offline(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(ImageError, match="switched off"):
        get("/a")


def test_headers_that_drip_end_at_the_limit_of_time(site: PatientServer) -> None:
    before = threading.active_count()
    began = time.monotonic()
    with pytest.raises(ImageError, match=r"It took more than 0\.3 seconds"):
        fetch(
            f"http://images.example:{site.server_port}/drip",
            limits=Limits(seconds=0.3),
            resolve=lambda host, port: [HERE],
            allows=lambda address: address == HERE,
        )
    assert time.monotonic() - began < 5
    while threading.active_count() > before:  # the site's own thread ends at its next byte
        assert time.monotonic() - began < 10


def test_a_limit_that_is_over_before_there_is_a_connection_holds_too(site: PatientServer) -> None:
    def resolve_slowly(host: str, port: int) -> list[Address]:
        time.sleep(0.2)
        return [HERE]

    began = time.monotonic()
    with pytest.raises(ImageError, match=r"It took more than 0\.1 seconds"):
        fetch(
            f"http://images.example:{site.server_port}/drip",
            limits=Limits(seconds=0.1),
            resolve=resolve_slowly,
            allows=lambda address: address == HERE,
        )
    assert time.monotonic() - began < 5


def test_which_names_exist_inside_is_not_told(site: PatientServer) -> None:
    def unknown(host: str, port: int) -> list[Address]:
        raise OSError("Name or service not known")

    cases = []
    for resolve in (unknown, lambda host, port: [ipaddress.ip_address("10.0.0.1")]):
        with pytest.raises(ImageError) as refused:
            fetch("http://inside.example/", limits=LIMITS, resolve=resolve)
        cases.append(refused.value.case)
    assert cases[0] == cases[1]
