"""Reads a checkpoint's tensors from safetensors and assigns them to a network built on the meta
device: all of them or none, without copying.

A file that only the zoo writes is memory-mapped: processes share its pages, which are read on first
use. Any other file may be overwritten while the model is in use, so threads read it into memory
while the network is built. The error for a checkpoint that does not fit lists the tensors.
"""

from __future__ import annotations

import json
import logging
import mmap
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isfinite, prod
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from zoo.detectors.detector import Detector, class_layers, translate_checkpoint
from zoo.errors import CheckpointError, ContractError
from zoo.files import open_regular
from zoo.text import is_are, join_first, pluralize

log = logging.getLogger("zoo")

OTHER_MODEL = "Give a checkpoint of this architecture, or name the model it was made for."
OTHER_CLASSES = "If it is for other classes, name all of them in the order they were trained in: "
MAX_NAMES_SHOWN = 3  # of each kind, before "and 17 more"
MAX_NAME_LETTERS = 100
# Types that torch stores and does not compute with; and those of quantised weights, which are
# useless without their scales.
STORAGE_DTYPES = {
    torch.float8_e4m3fn,
    torch.float8_e4m3fnuz,
    torch.float8_e5m2,
    torch.float8_e5m2fnuz,
}
QUANTISED_DTYPES = {torch.int8, torch.uint8, torch.bool}
READ_FROM = "Weights were read from {}."
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


def assign(detector: Detector, published: Mapping[str, Tensor], *, failure: str) -> None:
    """Makes `published` the weights of `detector`.

    Raises:
        CheckpointError: tensors are missing, unexpected or of another shape.
        ContractError: the architecture keeps tensors outside its state dict, which no checkpoint
            can fill.
    """
    own = dict(detector.state_dict())
    state = translate_checkpoint(detector, published)
    misshapen = {
        name: tensor
        for name, tensor in state.items()
        if name in own and own[name].shape != tensor.shape
    }
    if misshapen:
        shapes = [
            f"{name} {_shape(tensor)}, not {_shape(own[name])}"
            for name, tensor in misshapen.items()
        ]
        raise _misfit(
            failure,
            shapes=shapes,
            fix=_other_classes(detector, misshapen)
            if _by_class(detector, misshapen)
            else (OTHER_MODEL, None),
        )
    state = {
        name: cast(name, tensor, own[name].dtype, failure=failure) if name in own else tensor
        for name, tensor in state.items()
    }
    result = detector.load_state_dict(state, strict=False, assign=True)
    if result.missing_keys or result.unexpected_keys:
        raise _misfit(failure, missing=result.missing_keys, unexpected=result.unexpected_keys)
    _require_filled(detector)


def _require_filled(detector: Detector) -> None:
    everything = [*detector.named_parameters(), *detector.named_buffers()]
    empty = [name for name, tensor in everything if tensor.is_meta]
    if empty:
        raise ContractError(
            f"{type(detector).__name__} was built on the meta device and filled from a checkpoint.",
            f"These tensors stayed empty, because they are not in its state dict: {_some(empty)}.",
            "In the architecture, register them as persistent buffers or compute them in forward.",
        )


def _by_class(detector: Detector, names: Iterable[str]) -> bool:
    """Whether all of these tensors may have another shape because the weights are for other
    classes."""
    layers = class_layers(detector)
    return layers is None or {name.rpartition(".")[0] for name in names} <= {
        layer.name for layer in layers
    }


def _other_classes(detector: Detector, misshapen: Mapping[str, Tensor]) -> tuple[str, str]:
    """Advice for weights of other classes, in Python and in a shell, with the number of their
    classes if it follows from the shapes."""
    layers = {layer.name: layer for layer in class_layers(detector) or ()}
    counts = {
        len(tensor) // (layer.outer * layer.inner) - layer.channels.count(-1)
        for name, tensor in misshapen.items()
        if (layer := layers.get(name.rpartition(".")[0]))
    }
    for_whom = (
        f"They are for {pluralize(counts.pop(), 'class', 'classes')}, not "
        f"{len(detector.label_space)}. "
        if len(counts) == 1
        else ""
    )
    advice = for_whom + OTHER_CLASSES
    return f'{advice}labels=["helmet", "vest"]', f"{advice}--labels helmet,vest"


def _misfit(
    failure: str,
    *,
    missing: Sequence[str] = (),
    unexpected: Sequence[str] = (),
    shapes: Sequence[str] = (),
    fix: tuple[str, str | None] = (OTHER_MODEL, None),
) -> CheckpointError:
    kinds = (("missing", missing), ("unexpected", unexpected), ("of another shape", shapes))
    counts = {
        kind: f"{pluralize(len(names), 'tensor')} {is_are(len(names))}" for kind, names in kinds
    }
    case = " ".join(f"{counts[kind]} {kind}: {_some(names)}." for kind, names in kinds if names)
    return CheckpointError(failure, f"The checkpoint does not fit. {case}", fix[0], fix_cli=fix[1])


def _some(names: Sequence[str]) -> str:
    return join_first([name[:MAX_NAME_LETTERS] for name in names], MAX_NAMES_SHOWN)


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))


def widen_float8(state: Mapping[str, Tensor], *, failure: str) -> dict[str, Tensor]:
    """Converts float8 tensors to float32, which is exact, with a warning."""
    narrow = [name for name, tensor in state.items() if tensor.dtype in STORAGE_DTYPES]
    if narrow:
        log.warning("%s %s of float8 became float32.", failure, pluralize(len(narrow), "tensor"))
    return {
        name: tensor.float() if tensor.dtype in STORAGE_DTYPES else tensor
        for name, tensor in state.items()
    }


def cast(name: str, tensor: Tensor, dtype: torch.dtype, *, failure: str) -> Tensor:
    """The tensor in the network's type. Raises: CheckpointError if its numbers would lose their
    meaning."""
    if tensor.dtype == dtype:
        return tensor
    quantised = dtype.is_floating_point and tensor.dtype in QUANTISED_DTYPES
    if quantised or tensor.is_complex() != dtype.is_complex:
        types = f"{_dtype_name(tensor.dtype)} numbers, and the model has {_dtype_name(dtype)} there"
        raise CheckpointError(
            failure,
            f"The tensor '{name[:MAX_NAME_LETTERS]}' holds {types}.",
            "Give the weights as they were before they were quantised or packed.",
        )
    return tensor.to(dtype)


def check_finite(state: Mapping[str, Tensor], *, failure: str) -> None:
    """Raises: CheckpointError for the first tensor with a NaN or an infinity, with which a network
    detects nothing."""
    for name, tensor in state.items():
        if tensor.is_floating_point() and tensor.numel() and not _is_finite(tensor):
            count = int((~tensor.isfinite()).sum())
            numbers = f"{pluralize(count, 'number')} {is_are(count)} not finite."
            raise CheckpointError(
                failure,
                f"Of the tensor '{name[:MAX_NAME_LETTERS]}', {numbers}",
                "The training that made it has diverged: use an earlier checkpoint.",
            )


def _is_finite(tensor: Tensor) -> bool:
    """Whether every number is finite, in one pass: minimum and maximum are NaN if any number is,
    and an infinity is one of them."""
    low, high = torch.aminmax(tensor)
    return isfinite(low.item()) and isfinite(high.item())


def _dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


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
            f"The tensor '{name[:100]}' holds numbers of the type {about['dtype']}, which torch "
            f"can't compute with."
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
