"""Puts a checkpoint's tensors into a network built on the meta device, all of them or none, without copying.

The tensors stay what they are, memory-mapped views of the safetensors file (private: writing to a weight never reaches the file);
a checkpoint that does not fit is explained tensor by tensor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from safetensors import safe_open
from torch import Tensor

from zoo.detectors.detector import Detector
from zoo.detectors.family import class_layers, translated
from zoo.errors import CheckpointError, ContractError
from zoo.words import are, counted

OTHER_MODEL = "Give a checkpoint of this architecture, or name the model it was made for."
OTHER_CLASSES = "If it is for other classes, name all of them in the order they were trained in: "
SHOWN = 6  # names listed of each kind before "and 17 more"


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, memory-mapped."""
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping


def assign(detector: Detector, published: Mapping[str, Tensor], *, asked: str) -> None:
    """Makes `published` the weights of `detector`.

    Raises:
        CheckpointError: tensors are missing, unexpected or of another shape.
        ContractError: the architecture keeps tensors outside its state dict, which no checkpoint can fill.
    """
    own = {name: tensor for name, tensor in detector.state_dict().items()}
    state = translated(detector, published)
    wrong = {name: tensor for name, tensor in state.items() if name in own and own[name].shape != tensor.shape}
    if wrong:
        shapes = [f"{name} {_shape(tensor)}, not {_shape(own[name])}" for name, tensor in wrong.items()]
        raise _misfit(
            asked, shapes=shapes, fix=_other_classes(detector, wrong) if _by_class(detector, wrong) else (OTHER_MODEL, None)
        )
    state = {name: tensor.to(own[name].dtype) if name in own else tensor for name, tensor in state.items()}
    result = detector.load_state_dict(state, strict=False, assign=True)
    if result.missing_keys or result.unexpected_keys:
        raise _misfit(asked, missing=result.missing_keys, unexpected=result.unexpected_keys)
    _require_filled(detector)


def check_finite(state: Mapping[str, Tensor], *, asked: str) -> None:
    """Raises: CheckpointError naming the first tensor with a NaN or an infinity: a network with one of them sees nothing."""
    for name, tensor in state.items():
        odd = int((~tensor.isfinite()).sum()) if tensor.is_floating_point() else 0
        if odd:
            raise CheckpointError(
                asked,
                f"Of the tensor '{name}', {counted(odd, 'number')} {are(odd)} not finite.",
                "The training that made it has diverged: use an earlier checkpoint.",
            )


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
    """Whether all of these tensors may be of another shape because the weights are for other classes."""
    layers = class_layers(detector)
    return layers is None or {name.rpartition(".")[0] for name in names} <= {layer.name for layer in layers}


def _other_classes(detector: Detector, wrong: Mapping[str, Tensor]) -> tuple[str, str]:
    """How many classes the weights know, where that can be read off, and how to say which, in Python and in a shell."""
    layers = {layer.name: layer for layer in class_layers(detector) or ()}
    counts = {
        len(tensor) // (layer.outer * layer.inner) - layer.channels.count(-1)
        for name, tensor in wrong.items()
        if (layer := layers.get(name.rpartition(".")[0]))
    }
    theirs = f"They are for {counted(counts.pop(), 'class', 'classes')}, not {len(detector.space)}. " if len(counts) == 1 else ""
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
    counts = {kind: f"{counted(len(names), 'tensor')} {are(len(names))}" for kind, names in kinds}
    case = " ".join(f"{counts[kind]} {kind}: {_some(names)}." for kind, names in kinds if names)
    return CheckpointError(asked, f"The checkpoint does not fit. {case}", fix[0], fix_cli=fix[1])


def _some(names: Sequence[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))
