"""Loads the compiled kernel that reads COCO files and matches boxes, and describes its structures
for ctypes."""

from __future__ import annotations

import ctypes
import zlib
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

FILE = Path(__file__).parent.parent / "evaluate" / "coco" / "kernel" / "kernel.so"


def _version() -> int:
    """A checksum of the sources next to the kernel, which has that of its own compiled in: their
    structures differ where these do."""
    sources = sorted(FILE.parent.glob("*.[ch]"))
    return zlib.crc32(b"".join(path.read_bytes() for path in sources)) >> 1  # as hatch_build.py


VERSION = _version()


def library(file: Path = FILE) -> ctypes.CDLL:
    """The loaded kernel. Raises: OSError if it was not built, or from other sources."""
    kernel = ctypes.CDLL(str(file))
    if kernel.kernel_version() != VERSION:
        raise OSError(f"{file} was compiled from another version of its sources")
    return kernel


def structure(name: str, fields: str) -> type[ctypes.Structure]:
    """A structure of the kernel; of its fields `*name` is a pointer, all others are int64."""
    kinds = []
    for field in fields.split():
        kinds.append((field.lstrip("*"), ctypes.c_void_p if field[0] == "*" else ctypes.c_int64))
    return type(name, (ctypes.Structure,), {"_fields_": kinds})


def address(array: NDArray[Any]) -> int:
    """The address of an array's first number; the caller keeps the array alive."""
    assert array.flags.c_contiguous
    start: int = array.__array_interface__["data"][0]  # several times as fast as `.ctypes.data`
    return start
