"""Address: the cluster that `--cluster` names, with its numbers of workers and threads."""

from __future__ import annotations

import re
from dataclasses import dataclass

from zoo.errors import UsageError

LOCAL = "local"
SCHEME = "ray://"
_RAY_ADDRESS = re.compile(r"ray://(\[[0-9A-Fa-f:.]+\]|[\w.-]+):(\d{1,5})", re.ASCII)
_OPTIONS = "Its options are workers=COUNT and threads=COUNT: --cluster local,workers=2,threads=1."


@dataclass(frozen=True)
class Address:
    """A cluster, and how many of its processors to use.

    text:    the address as it was written.
    host, port: of the head of a running cluster; None for a temporary one on this machine.
    workers: processes that run the model; None for as many as fit.
    threads: of each worker; None is one.
    """

    text: str
    host: str | None = None
    port: int | None = None
    workers: int | None = None
    threads: int | None = None

    @property
    def is_local(self) -> bool:
        """Whether only this machine is used."""
        return self.host is None

    @classmethod
    def of(cls, text: str) -> Address:
        """The address written as `local` or `ray://HOST:PORT`, with `,workers=COUNT` and
        `,threads=COUNT`. Raises: UsageError for any other text."""
        target, *option_texts = (part.strip() for part in text.split(","))
        options = dict(_option(text, part) for part in option_texts)
        if target == LOCAL:
            return cls(text, None, None, **options)
        match = _RAY_ADDRESS.fullmatch(target)
        if match is None or not 0 < int(match[2]) < 2**16:
            suggestion = _suggestion(target)
            raise UsageError(
                f"The cluster '{text:.80}' can't be used.",
                "That is neither local nor ray://HOST:PORT.",
                f"Write cluster='local' for this machine, or cluster='{suggestion}'.",
                fix_cli=f"Write --cluster local for this machine, or --cluster {suggestion}",
            )
        return cls(text, match[1].strip("[]"), int(match[2]), **options)


def _option(text: str, part: str) -> tuple[str, int]:
    """The name and number of an option. Raises: UsageError."""
    name, _, value = part.partition("=")
    number = int(value) if value.isascii() and value.isdecimal() and len(value) < 6 else 0
    if name in ("workers", "threads") and number > 0:
        return name, number
    case = f"'{part:.40}' is none of its options."
    if name in ("workers", "threads"):
        case = f"The value of {name} is a number, 1 or more, and not '{value:.40}'."
    raise UsageError(f"The cluster '{text:.80}' can't be used.", case, _OPTIONS)


def _suggestion(text: str) -> str:
    """A valid address that is probably meant by an invalid one."""
    host = text.partition("://")[2] or text
    match = re.fullmatch(r"([A-Za-z0-9.-]+)(:\d+)?/?", host)
    is_likely = match is not None and ("." in match[1] or bool(match[2]) or "://" in text)
    return f"{SCHEME}{match[1]}:10001" if match and is_likely else f"{SCHEME}HOST:10001"
