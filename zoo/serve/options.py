"""Settings of a server: how it batches images, what a request may cost, which tokens it accepts."""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path

from zoo import limits as documents
from zoo.errors import UsageError
from zoo.images import Limits

SCORE = 0.3  # the default threshold, as of `zoo detect`
COUNTS = ("max_batch", "queue", "connections")
MIN_TOKEN_CHARACTERS = 16  # characters


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of a server.

    max_batch:     the most images of one input size that run together.
    max_wait_ms:   how long an image waits for others that are being received or decoded; without
                   such images it does not wait.
    queue:         the most requests that are admitted and not yet answered; the next ones are
                   answered with 503 and Retry-After.
    max_megabytes: the largest body of a request; a larger one is refused before it is read.
    timeout:       seconds from a complete request to its answer, else 504.
    receive:       seconds for receiving a request's headers, and again its body, else 408.
    connections:   the most open connections.
    allow_urls:    whether requests may name an image by URL; private addresses are never fetched.
    tokens:        bearer tokens, one of which a request must carry; empty requires none.
    limits:        what decoding an image may cost.

    Raises: UsageError for a value out of its range.
    """

    max_batch: int = 8
    max_wait_ms: float = 5.0
    queue: int = 128
    max_megabytes: float = 32.0
    timeout: float = 30.0
    receive: float = 15.0
    connections: int = 1000
    allow_urls: bool = False
    tokens: tuple[str, ...] = field(default=(), repr=False)
    limits: Limits = field(default_factory=Limits.in_force)

    def __post_init__(self) -> None:
        for name in COUNTS:
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise _wrong_option(name, value, "It is a whole number, at least 1.")
        for name in ("max_wait_ms", "max_megabytes", "timeout", "receive"):
            value = getattr(self, name)
            least_is_fine = name == "max_wait_ms" and value == 0
            if not (_is_number(value) and (value > 0 or least_is_fine)):
                raise _wrong_option(name, value, "It is a number above 0.")

    @property
    def max_bytes(self) -> int:
        """The limit of a request's body in bytes."""
        return int(self.max_megabytes * 1e6)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _wrong_option(name: str, value: object, case: str) -> UsageError:
    default = Options.__dataclass_fields__[name].default
    shell = f"--{name.replace('_', '-')}"
    return UsageError(
        f"Options({name}={value!r:.60}) can't be used.",
        case,
        f"Write for example {name}={default}.",
        fix_cli=f"Write for example {shell} {default}",
    )


def tokens_of(file: Path) -> tuple[str, ...]:
    """The tokens of a file, one per line; blank lines and those that begin with # are skipped.

    Raises: UsageError if it can't be read, has no token, or one that is short or not printable
        ASCII.
    """
    failure = f"--token-file '{file}' was given."
    fix = "Write one with: python -c 'import secrets; print(secrets.token_urlsafe(32))' > token"
    try:
        text = documents.read(file, most=2**16).decode("ascii")
    except documents.LimitError as error:
        raise UsageError(failure, str(error), error.fix) from error
    except UnicodeDecodeError as error:
        raise UsageError(failure, "It is not plain ASCII text.", fix) from error
    lines = [line.strip() for line in text.splitlines()]
    tokens = tuple(line for line in lines if line and not line.startswith("#"))
    if not tokens:
        raise UsageError(failure, "There is no token in it.", fix)
    for token in tokens:
        if len(token) < MIN_TOKEN_CHARACTERS or not token.isprintable() or " " in token:
            case = f"A token is {MIN_TOKEN_CHARACTERS} characters or more, without blanks."
            raise UsageError(failure, case, fix)
    return tokens


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
