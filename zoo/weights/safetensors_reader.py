"""Reads the tensors of a safetensors file, in the background or memory-mapped.

A file that only the zoo writes is memory-mapped: processes share its pages, which are read on first
use. Any other file may be overwritten while the model is in use, so threads read it into memory
while the network is built.
"""

from __future__ import annotations

import json
import mmap
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from zoo.errors import CheckpointError
from zoo.files import open_regular

READ_FROM = "Weights were read from {}."
MAX_NAME_LETTERS = 100
READ_BYTES = 16 << 20  # of one read, after which a thread looks whether it shall stop
# The types of safetensors whose numbers take whole bytes (safetensors.torch has the same list).
DTYPES = {
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
    """Reads a file's tensors in the background."""

    def __init__(self, path: Path, *, own: bool) -> None:
        """own: whether only the zoo writes that file, so that it may be mapped."""
        self._path = path
        self._stop = threading.Event()
        self._error: Exception | None = None
        self._threads: list[threading.Thread] = []
        if not own:
            self._begin()

    def tensors(self) -> dict[str, Tensor]:
        """Waits for the tensors.

        Raises:
            CheckpointError: the file changed since it was checked, or holds a type of number that
                torch does not have.
        """
        if not self._threads and not self._error:
            return map_tensors(self._path)
        for thread in self._threads:
            while thread.is_alive():  # an unlimited wait can't be interrupted on every system
                thread.join(0.1)
        if self._error:
            raise _changed_error(self._path) from self._error
        with torch.device("cpu"):
            return dict(_parsed(self._memory, self._path))

    def stop(self) -> None:
        """Stops reading."""
        self._stop.set()

    def _begin(self) -> None:
        """Starts a thread for each half of the file: most of the time goes into touching new
        memory, which two threads share."""
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
                    count = os.preadv(
                        file.fileno(), [view[start : min(start + READ_BYTES, end)]], start
                    )
                    if not count:
                        raise EOFError
                    start += count
        except (OSError, EOFError, ValueError) as error:
            self._error = error


@contextmanager
def reading(path: Path, *, own: bool) -> Iterator[Reading]:
    """Reads a well-formed file in the background while the context is open.

    own: whether only the zoo writes that file.
    """
    tensors = Reading(path, own=own)
    try:
        yield tensors
    finally:
        tensors.stop()


def map_tensors(path: Path) -> dict[str, Tensor]:
    """Memory-maps the tensors of a file that is never changed in place; writes to them do not reach
    the file.

    Raises:
        CheckpointError: it is not a safetensors file, or holds a type of number that torch does not
            have.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, KeyError, RuntimeError, TypeError, AttributeError) as error:
        raise CheckpointError(
            READ_FROM.format(path), f"They can't be read: {error}.", "Publish them as float32."
        ) from error


def _anonymous(size: int) -> mmap.mmap:
    """Private memory, of which a forked process gets its own copy. It does not ask for large pages:
    they are faster, but far slower if memory is fragmented."""
    return mmap.mmap(-1, max(size, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def _parsed(memory: mmap.mmap, path: Path) -> Iterator[tuple[str, Tensor]]:
    """Name and tensor of each entry of a file's bytes; the tensors are views that keep the memory
    alive."""
    begin = 8 + int.from_bytes(memory[:8], "little")
    try:
        header: Mapping[str, Any] = json.loads(memory[8:begin])
        for name, about in header.items():
            if name != "__metadata__":
                yield name, _tensor(memory, name, about, begin, path)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _changed_error(path) from error


def _tensor(
    memory: mmap.mmap, name: str, about: Mapping[str, Any], begin: int, path: Path
) -> Tensor:
    dtype = DTYPES.get(about["dtype"])
    if dtype is None:
        case = (
            f"The tensor '{name[:MAX_NAME_LETTERS]}' holds numbers of the type {about['dtype']}, "
            f"which torch can't compute with."
        )
        raise CheckpointError(
            READ_FROM.format(path), case, "Publish it as float32, float16 or bfloat16."
        )
    count = prod(about["shape"])
    if count == 0:
        return torch.empty(about["shape"], dtype=dtype)
    start, end = about["data_offsets"]
    if end - start != count * dtype.itemsize:
        raise ValueError("offsets and shape do not agree")
    return torch.frombuffer(memory, dtype=dtype, count=count, offset=begin + start).view(
        about["shape"]
    )


def _changed_error(path: Path) -> CheckpointError:
    return CheckpointError(
        READ_FROM.format(path),
        "It changed while it was read.",
        "Load it again, once it is written.",
    )
