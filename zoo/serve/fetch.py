"""Fetches images behind URLs that others name: from public addresses only.

A host is resolved once for each request, every address it has must be public, and the connection
goes to an address that was checked, so that a second answer of the name server changes nothing.
Redirects are followed by hand, each checked in the same way. No proxy and no cookie of this machine
is used.
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

MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
LONGEST = 2000  # characters of a URL
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NEVER = tuple(  # IPv4 inside IPv6 as nobody on the Internet has it: RFC 4291, 2765 and 8215
    map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48"))
)


def resolved(host: str, port: int) -> list[Address]:
    """The addresses of a host. Raises: OSError where it has none."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in addresses]


def is_public(address: Address) -> bool:
    """Whether the address is of the public Internet, also that which it carries inside: IPv4 in
    IPv6, 6to4, Teredo, NAT64."""
    inner: list[Address] = []
    if isinstance(address, ipaddress.IPv6Address):
        inner = [embedded for embedded in (address.ipv4_mapped, address.sixtofour) if embedded]
        inner += list(address.teredo or ())
        if address in _NAT64:
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.is_site_local or any(address in network for network in _NEVER):
            return False
    is_global = address.is_global or bool(inner)
    return is_global and not address.is_multicast and all(map(is_public, inner))


def fetch(
    url: str,
    *,
    limits: Limits,
    resolve: Resolve = resolved,
    allows: IsPublic = is_public,
) -> bytes:
    """The bytes behind an http(s) URL.

    Raises: ImageError: it is no such URL, leads to an address that is not public, does not answer
        with 200, or is beyond a limit; or the network is switched off.
    """
    asked = without_password(url)
    if switch := offline_switch():
        case = f"The network is switched off by {switch}."
        raise unreadable(asked, case, "Send the image itself.")
    until = monotonic() + limits.seconds
    try:
        for _ in range(MOST_REDIRECTS + 1):
            target = _checked(url, asked, resolve, allows)
            content, location = _request(*target, asked, limits, until)
            if location is None:
                return content
            url = str(httpx2.URL(url).join(location))
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
        if monotonic() >= until:
            raise _late(asked, limits) from None
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        fix = "Check the address, or send the image itself."
        raise unreadable(asked, f"It can't be fetched: {reason:.200}.", fix) from None
    raise unreadable(
        asked, f"It redirects more than {MOST_REDIRECTS} times.", "Send the last address."
    )


def _checked(
    url: str, asked: str, resolve: Resolve, allows: IsPublic
) -> tuple[httpx2.URL, str, Address]:
    """The URL, the host in it, and the address to connect to. Raises: ImageError."""
    parsed = httpx2.URL(url) if len(url) <= LONGEST else httpx2.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        case = "It is not an http or https address of a host, without a password."
        raise unreadable(f"{asked:.200}", case, "Send such an address, or the image itself.")
    host = parsed.raw_host.decode("ascii")
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    try:
        addresses = resolve(host, port)
    except (OSError, UnicodeError):  # which names exist inside is told to nobody
        addresses = []
    if not addresses or not all(allows(address) for address in addresses):
        case = f"The host '{host}' has an address that is not public, or none."
        raise unreadable(asked, case, "Send the image itself.")
    return parsed, host, addresses[0]


def _request(
    url: httpx2.URL, host: str, address: Address, asked: str, limits: Limits, until: float
) -> tuple[bytes, str | None]:
    """Asks that address for the URL; the content, or where it redirects to."""
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
            raise unreadable(asked, case, "Open the address in a browser to see what it is.")
        for chunk in response.iter_raw():
            received += chunk
            if len(received) > limits.download:
                raise beyond(
                    "download", asked, f"It is larger than {limits.download / 1e6:,.0f} MB."
                )
            if monotonic() > until:
                raise _late(asked, limits)
    return bytes(received), None


@cache
def _certificates() -> ssl.SSLContext:
    """Those of the library, read once: that takes as long as decoding an image."""
    return httpx2.create_ssl_context(trust_env=False)


class Deadline:
    """The end of a connection at a time, whatever still comes: a server that drips its headers
    never exceeds a limit of silence."""

    def __init__(self, until: float) -> None:
        self._socket: socket.socket | None = None
        self._until = until
        self._timer = threading.Timer(max(0.0, until - monotonic()), self._cut)
        self._timer.daemon = True

    def trace(self, event: str, facts: Mapping[str, Any]) -> None:
        """Takes note of the socket; called by the client library at each of its steps."""
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


def _late(asked: str, limits: Limits) -> ImageError:
    return beyond("seconds", asked, f"It took more than {limits.seconds:g} seconds.")
