"""The compiled kernel as a library that Python calls: where it is, whether it is of its sources,
and its structures."""

from __future__ import annotations

import ctypes
import zlib
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

FILE = Path(__file__).parent.parent / "evaluate" / "coco" / "kernel" / "kernel.so"


def _version() -> int:
    """Checks that a kernel was compiled from the sources next to it: its structures and ours belong
    together."""
    sources = sorted(FILE.parent.glob("*.[ch]"))
    return zlib.crc32(b"".join(path.read_bytes() for path in sources)) >> 1  # as hatch_build.py


VERSION = _version()


def library(file: Path = FILE) -> ctypes.CDLL:
    """The kernel, loaded. Raises: OSError where it was not built here, or is of another version."""
    kernel = ctypes.CDLL(str(file))
    if kernel.kernel_version() != VERSION:
        raise OSError(f"{file} was compiled from another version of its sources")
    return kernel


def structure(name: str, fields: str) -> type[ctypes.Structure]:
    """A structure of the kernel's: `*name` is a pointer, the others are 64-bit numbers."""
    kinds = []
    for field in fields.split():
        kinds.append((field.lstrip("*"), ctypes.c_void_p if field[0] == "*" else ctypes.c_int64))
    return type(name, (ctypes.Structure,), {"_fields_": kinds})


def address(array: NDArray[Any]) -> int:
    """Where an array's numbers begin; whoever passes it on keeps the array."""
    assert array.flags.c_contiguous
    start: int = array.__array_interface__["data"][0]  # several times as fast as `.ctypes.data`
    return start
