"""A checkpoint: its tensors, read from safetensors, and how they are put into a network built on
the meta device: all of them or none, without copying.

A file that only the zoo writes is mapped: its pages are shared between processes and read when they
are used. Any other file may be copied over or saved onto while the model lives, so it is read into
memory, in a thread of its own while the network is built. A checkpoint that does not fit is
explained tensor by tensor.
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

from zoo.detectors.detector import Detector, class_layers, translated
from zoo.errors import CheckpointError, ContractError
from zoo.files import open_regular
from zoo.text import is_are, listed, pluralize

log = logging.getLogger("zoo")

OTHER_MODEL = "Give a checkpoint of this architecture, or name the model it was made for."
OTHER_CLASSES = "If it is for other classes, name all of them in the order they were trained in: "
SHOWN = 3  # names listed of each kind before "and 17 more"
LETTERS = 100  # of one name
# Types to store numbers in, not to compute with; and those of quantised weights, which mean nothing
# without their scales.
STORED = {torch.float8_e4m3fn, torch.float8_e4m3fnuz, torch.float8_e5m2, torch.float8_e5m2fnuz}
QUANTISED = {torch.int8, torch.uint8, torch.bool}
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


def assign(detector: Detector, published: Mapping[str, Tensor], *, asked: str) -> None:
    """Makes `published` the weights of `detector`.

    Raises:
        CheckpointError: tensors are missing, unexpected or of another shape.
        ContractError: the architecture keeps tensors outside its state dict, which no checkpoint
            can fill.
    """
    own = dict(detector.state_dict())
    state = translated(detector, published)
    wrong = {
        name: tensor
        for name, tensor in state.items()
        if name in own and own[name].shape != tensor.shape
    }
    if wrong:
        shapes = [
            f"{name} {_shape(tensor)}, not {_shape(own[name])}" for name, tensor in wrong.items()
        ]
        raise _misfit(
            asked,
            shapes=shapes,
            fix=_other_classes(detector, wrong)
            if _by_class(detector, wrong)
            else (OTHER_MODEL, None),
        )
    state = {
        name: converted(name, tensor, own[name].dtype, asked=asked) if name in own else tensor
        for name, tensor in state.items()
    }
    result = detector.load_state_dict(state, strict=False, assign=True)
    if result.missing_keys or result.unexpected_keys:
        raise _misfit(asked, missing=result.missing_keys, unexpected=result.unexpected_keys)
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
    """Whether all of these tensors may be of another shape because the weights are for other
    classes."""
    layers = class_layers(detector)
    return layers is None or {name.rpartition(".")[0] for name in names} <= {
        layer.name for layer in layers
    }


def _other_classes(detector: Detector, wrong: Mapping[str, Tensor]) -> tuple[str, str]:
    """How many classes the weights know, where that can be read off, and how to say which, in
    Python and in a shell."""
    layers = {layer.name: layer for layer in class_layers(detector) or ()}
    counts = {
        len(tensor) // (layer.outer * layer.inner) - layer.channels.count(-1)
        for name, tensor in wrong.items()
        if (layer := layers.get(name.rpartition(".")[0]))
    }
    theirs = (
        f"They are for {pluralize(counts.pop(), 'class', 'classes')}, not "
        f"{len(detector.label_space)}. "
        if len(counts) == 1
        else ""
    )
    advice = theirs + OTHER_CLASSES
    return f'{advice}labels=["helmet", "vest"]', f"{advice}--labels helmet,vest"


def _misfit(
    asked: str,
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
    return CheckpointError(asked, f"The checkpoint does not fit. {case}", fix[0], fix_cli=fix[1])


def _some(names: Sequence[str]) -> str:
    return listed([name[:LETTERS] for name in names], SHOWN)


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))


def widened(state: Mapping[str, Tensor], *, asked: str) -> dict[str, Tensor]:
    """The tensors with float8 ones as float32, which is exact."""
    narrow = [name for name, tensor in state.items() if tensor.dtype in STORED]
    if narrow:
        log.warning("%s %s of float8 became float32.", asked, pluralize(len(narrow), "tensor"))
    return {
        name: tensor.float() if tensor.dtype in STORED else tensor for name, tensor in state.items()
    }


def converted(name: str, tensor: Tensor, dtype: torch.dtype, *, asked: str) -> Tensor:
    """A tensor as the network has it. Raises: CheckpointError where its numbers would become other
    ones."""
    if tensor.dtype == dtype:
        return tensor
    quantised = dtype.is_floating_point and tensor.dtype in QUANTISED
    if quantised or tensor.is_complex() != dtype.is_complex:
        types = f"{_named(tensor.dtype)} numbers, and the model has {_named(dtype)} there"
        raise CheckpointError(
            asked,
            f"The tensor '{name[:LETTERS]}' holds {types}.",
            "Give the weights as they were before they were quantised or packed.",
        )
    return tensor.to(dtype)


def check_finite(state: Mapping[str, Tensor], *, asked: str) -> None:
    """Raises: CheckpointError naming the first tensor with a NaN or an infinity: a network with one
    of them sees nothing."""
    for name, tensor in state.items():
        if tensor.is_floating_point() and tensor.numel() and not _is_finite(tensor):
            odd = int((~tensor.isfinite()).sum())
            raise CheckpointError(
                asked,
                f"Of the tensor '{name[:LETTERS]}', {pluralize(odd, 'number')} {is_are(odd)} not "
                f"finite.",
                "The training that made it has diverged: use an earlier checkpoint.",
            )


def _is_finite(tensor: Tensor) -> bool:
    """Whether all of a tensor is finite, read once: a NaN goes through to the extremes, and an
    infinity is one."""
    low, high = torch.aminmax(tensor)
    return isfinite(low.item()) and isfinite(high.item())


def _named(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


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
    tensors = Reading(path, own=own)
    try:
        yield tensors
    finally:
        tensors.stop()


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
    count = prod(about["shape"])
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
