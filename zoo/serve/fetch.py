"""Fetches images behind URLs in requests, from public addresses only.

A host is resolved once per request, all of its addresses must be public, and the connection goes to
an address that was checked, so that a second answer of the name server changes nothing. Each
redirect is checked in the same way. The machine's proxies and cookies are not used.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from time import monotonic
from typing import Any, TypeAlias

import httpx2

from zoo.environment import offline_switch, timeout
from zoo.errors import ImageError
from zoo.images import Limits
from zoo.images.unreadable import beyond, unreadable
from zoo.printable import without_password

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], Sequence[Address]]
IsPublic: TypeAlias = Callable[[Address], bool]

MAX_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
MAX_URL_CHARACTERS = 2000
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Forms of IPv4 in IPv6 that are not used on the Internet: RFC 4291, 2765 and 8215.
_NEVER_PUBLIC = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48")))


def resolve_host(host: str, port: int) -> list[Address]:
    """The addresses of a host. Raises: OSError if it has none."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in addresses]


def is_public(address: Address) -> bool:
    """Whether an address is public, and so is every address embedded in it: IPv4 in IPv6, 6to4,
    Teredo, NAT64."""
    inner: list[Address] = []
    if isinstance(address, ipaddress.IPv6Address):
        inner = [embedded for embedded in (address.ipv4_mapped, address.sixtofour) if embedded]
        inner += list(address.teredo or ())
        if address in _NAT64:
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.is_site_local or any(address in network for network in _NEVER_PUBLIC):
            return False
    is_global = address.is_global or bool(inner)
    return is_global and not address.is_multicast and all(map(is_public, inner))


def fetch(
    url: str,
    *,
    limits: Limits,
    resolve: Resolve = resolve_host,
    allows: IsPublic = is_public,
) -> bytes:
    """The bytes behind an http(s) URL.

    Raises: ImageError: the URL is invalid, leads to an address that is not public, is not answered
        with 200, or exceeds a limit; or the network is switched off.
    """
    shown_url = without_password(url)
    if switch := offline_switch():
        case = f"The network is switched off by {switch}."
        raise unreadable(shown_url, case, "Send the image itself.")
    until = monotonic() + limits.seconds
    try:
        for _ in range(MAX_REDIRECTS + 1):
            target = _checked_target(url, shown_url, resolve, allows)
            content, location = _request(*target, shown_url, limits, until)
            if location is None:
                return content
            url = str(httpx2.URL(url).join(location))
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
        if monotonic() >= until:
            raise _late(shown_url, limits) from None
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        fix = "Check the address, or send the image itself."
        raise unreadable(shown_url, f"It can't be fetched: {reason:.200}.", fix) from None
    raise unreadable(
        shown_url, f"It redirects more than {MAX_REDIRECTS} times.", "Send the last address."
    )


def _checked_target(
    url: str, shown_url: str, resolve: Resolve, allows: IsPublic
) -> tuple[httpx2.URL, str, Address]:
    """The URL, the host in it, and the address to connect to. Raises: ImageError."""
    parsed = httpx2.URL(url) if len(url) <= MAX_URL_CHARACTERS else httpx2.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        case = "It is not an http or https address of a host, without a password."
        raise unreadable(f"{shown_url:.200}", case, "Send such an address, or the image itself.")
    host = parsed.raw_host.decode("ascii")
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    try:
        addresses = resolve(host, port)
    except (OSError, UnicodeError):  # the answer does not tell which internal names exist
        addresses = []
    if not addresses or not all(allows(address) for address in addresses):
        case = f"The host '{host}' has an address that is not public, or none."
        raise unreadable(shown_url, case, "Send the image itself.")
    return parsed, host, addresses[0]


def _request(
    url: httpx2.URL, host: str, address: Address, shown_url: str, limits: Limits, until: float
) -> tuple[bytes, str | None]:
    """Requests the URL from that address: its content, or the location that it redirects to."""
    headers = {"Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity"}
    silence = max(0.1, min(timeout(), until - monotonic()))
    received = bytearray()
    with (
        Deadline(until) as deadline,
        httpx2.Client(
            trust_env=False, verify=_certificates(), timeout=silence, follow_redirects=False
        ) as client,
        client.stream(
            "GET",
            url.copy_with(host=str(address)),
            headers=headers,
            extensions={"sni_hostname": host, "trace": deadline.trace},
        ) as response,
    ):
        if response.status_code in REDIRECTS and "location" in response.headers:
            return b"", response.headers["location"]
        if response.status_code != 200:
            case = f"The server answered {response.status_code}."
            raise unreadable(shown_url, case, "Open the address in a browser to see what it is.")
        for chunk in response.iter_raw():
            received += chunk
            if len(received) > limits.download:
                raise beyond(
                    "download", shown_url, f"It is larger than {limits.download / 1e6:,.0f} MB."
                )
            if monotonic() > until:
                raise _late(shown_url, limits)
    return bytes(received), None


@cache
def _certificates() -> ssl.SSLContext:
    """The library's certificates, read once: that takes as long as decoding an image."""
    return httpx2.create_ssl_context(trust_env=False)


class Deadline:
    """Ends a connection at a set time, also while bytes arrive: a server that sends its headers
    slowly never exceeds a limit of silence."""

    def __init__(self, until: float) -> None:
        self._socket: socket.socket | None = None
        self._until = until
        self._timer = threading.Timer(max(0.0, until - monotonic()), self._cut)
        self._timer.daemon = True

    def trace(self, event: str, facts: Mapping[str, Any]) -> None:
        """Keeps the socket; the client library calls it at each of its steps."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = facts["return_value"].get_extra_info("socket")
            if monotonic() >= self._until:  # the timer had nothing to cut
                self._cut()

    def _cut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # it is closed
                self._socket.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


def _late(shown_url: str, limits: Limits) -> ImageError:
    return beyond("seconds", shown_url, f"It took more than {limits.seconds:g} seconds.")
