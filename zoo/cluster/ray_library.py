"""Imports Ray when it is needed, after setting the environment variables that it reads."""

from __future__ import annotations

import secrets
from functools import cache
from importlib.util import find_spec
from typing import Any

from zoo import environment
from zoo.extras import optional

WANTED_FOR = "Work on a cluster"


def check_installed(*, client: bool) -> None:
    """Raises: MissingExtra if Ray is not installed, or, for a client, what it needs besides."""
    for package in ("ray", "grpc") if client else ("ray",):
        if find_spec(package) is None:
            optional(package, wanted_for=WANTED_FOR, extra="ray")


@cache
def own_token() -> str:
    """The token of clusters that this process starts; the same for all, because Ray reads it
    once."""
    return secrets.token_hex(32)


def library(*, own: bool) -> Any:
    """Imports Ray. own: whether this process will start a cluster. Raises: MissingExtra if it is
    not installed."""
    environment.prepare_for_ray(own_token() if own else None)
    return optional("ray", wanted_for=WANTED_FOR)
