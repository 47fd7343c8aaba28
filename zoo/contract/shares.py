"""Counts of a whole batch that several processes share, for losses that divide by their objects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import distributed

_SHARED: ContextVar[bool] = ContextVar("shared", default=False)


@contextmanager
def shared_batch(processes: int) -> Iterator[None]:
    """Within it, each of the processes computes the loss of its share of one batch.

    All of them have to: `count_in_batch` waits for the others.
    """
    token = _SHARED.set(processes > 1)
    try:
        yield
    finally:
        _SHARED.reset(token)


def count_in_batch(count: int, *, images: int, device: torch.device) -> float:
    """The number to divide a sum over a share's objects by, at least 1, so that the mean over the
    images of all shares is the sum over the batch divided by its count.

    count: objects of this share. images: in it.
    """
    if not _SHARED.get():
        return float(max(count, 1))
    both = torch.tensor([count, images], dtype=torch.float64, device=device)
    distributed.all_reduce(both)
    objects, everything = both.tolist()
    return float(max(objects, 1.0) * images / everything)
