"""No code of a plugin opens a connection while the network is switched off: the attempt is an
OfflineError that names the plugin.

Python tells an audit hook of every connection before it is made, whichever library asks for it. The
hook is set when it is first needed, which is never where the network is on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from zoo.errors import OfflineError

# event of CPython's audit table -> where its arguments have the address
_EVENTS = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
}


@dataclass(eq=False)
class _Guard:
    """Refuses connections of the threads that `concerns` says; `tell` hears of
    each."""

    whose: str
    variable: str
    concerns: Callable[[], bool]
    on_connect: Callable[[str], None]


class _State:
    guards: tuple[_Guard, ...] = ()
    hooked = False


@contextmanager
def refuse_connections(
    variable: str,
    whose: str,
    *,
    concerns: Callable[[], bool],
    tell: Callable[[str, str], None],
) -> Iterator[None]:
    """Refuses what the plugin's threads connect to meanwhile, because of that variable of the
    environment. Raises: OfflineError."""
    guard = _Guard(
        whose,
        variable,
        concerns,
        lambda host: tell(f"connects to {host}", f"{variable} refuses it."),
    )
    if not _State.hooked:
        _State.hooked = True
        sys.addaudithook(_hook)
    _State.guards += (guard,)
    try:
        yield
    finally:
        _State.guards = tuple(other for other in _State.guards if other is not guard)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _EVENTS or not _State.guards:
        return
    guard = next((guard for guard in _State.guards if guard.concerns()), None)
    address = arguments[_EVENTS[event]] if guard else None
    if guard is None or not _is_remote(arguments[0], address):
        return
    host = str(address[0] if isinstance(address, tuple) else address)[:60]
    guard.on_connect(host)
    raise OfflineError(
        f"The {guard.whose} wanted to connect to {host}.",
        f"{guard.variable} says that no connection may be opened.",
        f"Unset it: unset {guard.variable}",
    )


def _is_remote(socket: Any, address: object) -> bool:
    """Whether it is more than talk between processes of this machine, which have a path for an
    address."""
    import socket as sockets  # deferred: whoever connects has it

    family = getattr(socket, "family", None)
    return address is not None and family not in (
        getattr(sockets, "AF_UNIX", -1),
        getattr(sockets, "AF_NETLINK", -1),
    )
