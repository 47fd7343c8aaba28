"""The tensors of a safetensors file, which stay what they were read as, whatever happens to the
file afterwards.

A file that only the zoo writes is mapped: its pages are shared between processes and read when they
are used. Any other file may be copied over or saved onto while the model lives, so it is read into
memory, in a thread of its own while the network is built.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from zoo.errors import CheckpointError
from zoo.files import open_regular

ASKED = "Weights were read from {}."
PIECE = 16 << 20
# The types of safetensors whose numbers take whole bytes (safetensors.torch has the same list).
TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E4M3FNUZ": torch.float8_e4m3fnuz,
    "F8_E5M2": torch.float8_e5m2,
    "F8_E5M2FNUZ": torch.float8_e5m2fnuz,
    "C64": torch.complex64,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U64": torch.uint64,
    "U32": torch.uint32,
    "U16": torch.uint16,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


class Reading:
    """A file's tensors, on their way."""

    def __init__(self, path: Path, *, own: bool) -> None:
        """own: only the zoo writes that file, so it may be mapped."""
        self._path = path
        self._stop = threading.Event()
        self._error: Exception | None = None
        self._threads: list[threading.Thread] = []
        if not own:
            self._begin()

    def tensors(self) -> dict[str, Tensor]:
        """The tensors, once they are there.

        Raises:
            CheckpointError: the file is not what it was when it was checked, or holds types of
                number that torch has not.
        """
        if not self._threads and not self._error:
            return mapped(self._path)
        for thread in self._threads:
            while thread.is_alive():  # a wait without a limit would not see Ctrl-C on every system
                thread.join(0.1)
        if self._error:
            raise _changed(self._path) from self._error
        with torch.device("cpu"):
            return dict(_parsed(self._memory, self._path))

    def stop(self) -> None:
        """Gives up."""
        self._stop.set()

    def _begin(self) -> None:
        """Starts one thread for each half: most of the time goes into taking the memory."""
        try:
            size = self._path.stat().st_size
            self._memory = _anonymous(size)
        except OSError as error:
            self._error = error
            return
        half = size // 2 // mmap.PAGESIZE * mmap.PAGESIZE
        for start, end in ((0, half), (half, size)):
            self._threads.append(
                threading.Thread(target=self._read, args=(start, end), daemon=True)
            )
            self._threads[-1].start()

    def _read(self, start: int, end: int) -> None:
        try:
            with open_regular(self._path) as file, memoryview(self._memory) as view:
                while start < end and not self._stop.is_set():
                    count = os.preadv(file.fileno(), [view[start : min(start + PIECE, end)]], start)
                    if not count:
                        raise EOFError
                    start += count
        except (OSError, EOFError, ValueError) as error:
            self._error = error


@contextmanager
def reading(path: Path, *, own: bool) -> Iterator[Reading]:
    """Begins to read a file that is known to be well-formed; own: only the zoo writes that file."""
    one = Reading(path, own=own)
    try:
        yield one
    finally:
        one.stop()


def mapped(path: Path) -> dict[str, Tensor]:
    """The tensors of a file that nobody changes in place, memory-mapped; writing to one never
    reaches the file.

    Raises:
        CheckpointError: it is not a safetensors file, or holds types of number that torch has not.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, KeyError, RuntimeError, TypeError, AttributeError) as error:
        raise CheckpointError(
            ASKED.format(path), f"They can't be read: {error}.", "Publish them as float32."
        ) from error


def _anonymous(size: int) -> mmap.mmap:
    """Private memory, so that a forked process has its own. Large pages would be faster, or far
    slower in a fragmented memory."""
    return mmap.mmap(-1, max(size, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def _parsed(memory: mmap.mmap, path: Path) -> Iterator[tuple[str, Tensor]]:
    """Name and tensor of everything in a file's bytes; the tensors keep the memory alive and share
    it with nobody."""
    begin = 8 + int.from_bytes(memory[:8], "little")
    try:
        header: Mapping[str, Any] = json.loads(memory[8:begin])
        for name, about in header.items():
            if name != "__metadata__":
                yield name, _tensor(memory, name, about, begin, path)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _changed(path) from error


def _tensor(
    memory: mmap.mmap, name: str, about: Mapping[str, Any], begin: int, path: Path
) -> Tensor:
    dtype = TYPES.get(about["dtype"])
    if dtype is None:
        case = (
            f"The tensor '{name[:100]}' holds numbers of the type {about['dtype']}, which torch "
            f"can't compute with."
        )
        raise CheckpointError(
            ASKED.format(path), case, "Publish it as float32, float16 or bfloat16."
        )
    count = math.prod(about["shape"])
    if count == 0:
        return torch.empty(about["shape"], dtype=dtype)
    start, end = about["data_offsets"]
    if end - start != count * dtype.itemsize:
        raise ValueError("offsets and shape do not agree")
    return torch.frombuffer(memory, dtype=dtype, count=count, offset=begin + start).view(
        about["shape"]
    )


def _changed(path: Path) -> CheckpointError:
    return CheckpointError(
        ASKED.format(path), "It changed while it was read.", "Load it again, once it is written."
    )
