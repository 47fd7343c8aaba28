"""Puts a checkpoint's tensors into a network built on the meta device, all of them or none, without
copying.

The tensors stay what they are, in the memory that `zoo.detectors.tensors` gave them; a checkpoint
that does not fit is explained tensor by tensor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from torch import Tensor

from zoo.detectors.detector import Detector
from zoo.detectors.family import class_layers, translated
from zoo.detectors.numbers import converted
from zoo.errors import CheckpointError, ContractError
from zoo.text import is_are, pluralize

OTHER_MODEL = "Give a checkpoint of this architecture, or name the model it was made for."
OTHER_CLASSES = "If it is for other classes, name all of them in the order they were trained in: "
SHOWN = 3  # names listed of each kind before "and 17 more"
LETTERS = 100  # of one name


def assign(detector: Detector, published: Mapping[str, Tensor], *, asked: str) -> None:
    """Makes `published` the weights of `detector`.

    Raises:
        CheckpointError: tensors are missing, unexpected or of another shape.
        ContractError: the architecture keeps tensors outside its state dict, which no checkpoint
            can fill.
    """
    own = {name: tensor for name, tensor in detector.state_dict().items()}
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
    rest = len(names) - SHOWN
    return ", ".join(name[:LETTERS] for name in names[:SHOWN]) + (
        f" and {rest} more" if rest > 0 else ""
    )


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))
