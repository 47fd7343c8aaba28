"""Assigns a checkpoint's tensors to a network built on the meta device: all of them or none, and no
copies. The error for a checkpoint that does not fit lists the tensors."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite

import torch
from torch import Tensor

from zoo.detectors.detector import Detector, class_layers, translate_checkpoint
from zoo.errors import CheckpointError, ContractError
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
