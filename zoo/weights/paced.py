"""Enforces a minimum pace on the bodies that the Hub's client receives.

The client hands bytes on ten megabytes at a time, so a drip of them shows in no file for a long
time. It shows here, in the thread that receives it, which then releases the client's locks.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from zoo.weights.deadline import Pace

if TYPE_CHECKING:
    from httpx2 import Response


@contextmanager
def enforce_pace() -> Iterator[None]:
    """Lets requests of the client in this thread fail with `TransientError` where a body comes too
    slowly.

    Where the client begins another session meanwhile, its bodies are not checked.
    """
    import httpx2
    from huggingface_hub import get_session

    class Stream(httpx2.SyncByteStream):
        """A body, each of whose pieces is told to a `Pace`."""

        def __init__(self, body: httpx2.SyncByteStream) -> None:
            self._body = body

        def __iter__(self) -> Iterator[bytes]:
            pace = Pace()
            for piece in self._body:
                pace.add(len(piece))
                yield piece

        def close(self) -> None:
            self._body.close()

    ours = threading.get_ident()

    def watch(response: Response) -> None:
        if threading.get_ident() == ours and isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = Stream(response.stream)

    hooks = get_session().event_hooks["response"]  # shared by all threads
    hooks.append(watch)
    try:
        yield
    finally:
        with suppress(ValueError):  # the hooks have been replaced
            hooks.remove(watch)
