"""Pictures read on threads, a little ahead of the network, in the order they were asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TypeAlias

from torch import Tensor

from zoo.errors import ImageError
from zoo.images import Exif, Picture, Source, read
from zoo.images.sources import name_of

Read: TypeAlias = Picture | ImageError

# Pictures that wait decoded stop the reading ahead at this size: seven photos of 12 megapixels.
AHEAD_BYTES = 256 * 2**20


def read_ahead(sources: Iterable[Source], *, exif: Exif, threads: int, ahead: int, pin: bool = False) -> Generator[Read]:
    """Each source's picture, or the error in its place. Closing the generator cancels what has not been begun.

    Up to `ahead` sources are pulled before their turn. Tensors are ready, and never wait for a thread or for one another; with no
    threads every source is read when its turn comes, and nothing is pulled before.

    pin: put pixels into page-locked memory, from where a GPU fetches them without blocking.
    """
    entries = enumerate(sources)
    queue: deque[Future[Read] | Read] = deque()
    pool = ThreadPoolExecutor(max(threads, 1), thread_name_prefix="zoo-read")
    try:
        while True:
            while not _enough(queue, threads, ahead) and (entry := next(entries, None)):
                position, source = entry
                ready = threads == 0 or isinstance(source, Tensor)
                task = (source, name_of(source, position=position), exif, pin)
                queue.append(_read(*task) if ready else pool.submit(_read, *task))
            if not queue:
                return
            first = queue.popleft()
            yield first.result() if isinstance(first, Future) else first
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _enough(queue: deque[Future[Read] | Read], threads: int, ahead: int) -> bool:
    if not queue:
        return False
    if not isinstance(queue[0], Future) or len(queue) >= ahead:
        return True
    return len(queue) >= 2 * threads and sum(map(_bytes, queue)) >= AHEAD_BYTES


def _bytes(pending: Future[Read] | Read) -> int:
    if isinstance(pending, Future):
        if not pending.done():
            return 0
        pending = pending.result()
    return pending.pixels.nbytes if isinstance(pending, Picture) else 0


def _read(source: Source, name: str, exif: Exif, pin: bool) -> Read:
    try:
        picture = read(source, exif=exif, name=name)
    except ImageError as why:
        return why
    return replace(picture, pixels=picture.pixels.pin_memory()) if pin and picture.pixels.is_cpu else picture
