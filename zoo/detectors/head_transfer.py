"""Gives a trained network a head for other classes, with the old head's rows for every class that
both know by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from zoo.contract import ClassLayer
from zoo.detectors.checkpoint import assign
from zoo.detectors.class_rows import by_channel, submodule
from zoo.detectors.detector import Detector
from zoo.detectors.family import class_layers, translated
from zoo.detectors.meta_device import on_meta_device
from zoo.detectors.swap import HeadTransfer, NewRows
from zoo.errors import ContractError
from zoo.labels import LabelSpace
from zoo.labels.matching import match_labels
from zoo.registry.conduct import said

Make = Callable[[LabelSpace], Detector]
Rows = tuple[Tensor, int]  # a tensor of the new head, and how many of its rows are new


def transfer_head(
    detector: Detector, published: Mapping[str, Tensor], *, old: LabelSpace, make: Make, asked: str
) -> HeadTransfer:
    """Fills a detector that is on the meta device from weights for the classes of `old`, and says
    what of it is new.

    make: builds the same architecture for another label space, on the current default device.

    Raises:
        CheckpointError: the weights do not fit the architecture with `old`.
        ContractError: the family says wrongly which of its layers are by class.
    """
    with on_meta_device():
        source = make(old)
    assign(source, published, asked=asked)
    state = source.state_dict()
    head = (
        _carried(source, detector) if class_layers(detector) is not None else _fresh(make, detector)
    )
    kept = {name: tensor for name, tensor in state.items() if name not in head}
    _check_kept(kept, detector)
    detector.load_state_dict(
        {**kept, **{name: tensor for name, (tensor, _) in head.items()}}, assign=True
    )
    rows = tuple(
        NewRows(name, tuple(tensor.shape), count) for name, (tensor, count) in head.items()
    )
    return HeadTransfer(match_labels(source.label_space, detector.label_space), rows, len(kept))


def fits(detector: Detector, published: Mapping[str, Tensor]) -> bool:
    """Whether every tensor of `published` that `detector` has, too, is of the same shape there."""
    own = detector.state_dict()
    state = translated(detector, published)
    return all(own[name].shape == tensor.shape for name, tensor in state.items() if name in own)


def _carried(source: Detector, detector: Detector) -> dict[str, Rows]:
    """The tensors of every class layer: begun as the family does, then rows of the same class
    copied bit by bit."""
    label = {
        theirs: ours
        for ours, theirs in match_labels(source.label_space, detector.label_space).pairs
    }
    layers = zip(class_layers(source) or (), class_layers(detector) or (), strict=True)
    return {
        name: rows
        for before, layer in layers
        for name, rows in _layer(source, detector, before, layer, label).items()
    }


@torch.no_grad()
def _layer(
    source: Detector,
    detector: Detector,
    before: ClassLayer,
    layer: ClassLayer,
    label: Mapping[int, int],
) -> dict[str, Rows]:
    module = submodule(detector, layer).to_empty(device="cpu")
    start_layer(layer, module)
    pairs = _channels(before, layer, label)
    theirs = _by_row(source.get_submodule(before.name))
    found = {}
    for name, tensor in _by_row(module).items():
        rows = by_channel(tensor, layer, detector)
        rows[:, list(pairs)] = by_channel(theirs[name], before, source)[:, list(pairs.values())].to(
            rows.dtype
        )
        fresh = layer.outer * layer.inner * (len(layer.channels) - len(pairs))
        found[f"{layer.name}.{name}"] = tensor.detach(), fresh
    return found


def _by_row(module: nn.Module) -> dict[str, Tensor]:
    """A layer's own tensors with rows: its parameters, and what a norm has seen of each channel."""
    kept = module.state_dict(keep_vars=True)
    own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
    return {name: tensor for name, tensor in own if name in kept and tensor.ndim}


def start_layer(layer: ClassLayer, module: nn.Module) -> None:
    try:
        layer.start(module)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as why:  # whatever a plugin's function raises
        fix = (
            "It is given the layer, and sets its weight and bias in place. Mend class_layers in "
            "its plugin."
        )
        asked = f"The class layer '{layer.name}' was to begin anew by its `start`."
        raise ContractError(asked, f"It {said(why).rstrip('.')}.", fix) from why


def _channels(before: ClassLayer, layer: ClassLayer, label: Mapping[int, int]) -> dict[int, int]:
    """New channel -> the old one whose rows it gets: of the same class, of background, or unused in
    the same place."""
    channel_of = {label: channel for channel, label in enumerate(before.channels) if label >= 0}
    pairs = {}
    for channel, wanted in enumerate(layer.channels):
        if wanted >= 0:
            known = channel_of.get(label.get(wanted, -1))
        elif layer.background is not None and channel == layer.background:
            known = before.background
        else:
            unused = (
                channel < len(before.channels)
                and before.channels[channel] < 0
                and channel != before.background
            )
            known = channel if unused else None
        if known is not None:
            pairs[channel] = known
    return pairs


def _fresh(make: Make, detector: Detector) -> dict[str, Rows]:
    """All new, for a family that says nothing of its layers: the tensors that would have another
    shape with more classes."""
    more = LabelSpace.custom(
        f"class {number}" for number in range(len(detector.label_space.channels) + 1)
    )
    with on_meta_device():
        other = make(more).state_dict()
    changing = [
        name for name, tensor in detector.state_dict().items() if other[name].shape != tensor.shape
    ]
    with torch.device("cpu"):
        begun = make(detector.label_space).state_dict()
    return {name: (begun[name], len(begun[name])) for name in changing}


def _check_kept(kept: Mapping[str, Tensor], detector: Detector) -> None:
    own = detector.state_dict()
    wrong: Sequence[str] = [
        name for name, tensor in kept.items() if name not in own or own[name].shape != tensor.shape
    ]
    if wrong:
        layer = wrong[0].rpartition(".")[0]
        raise ContractError(
            f"{type(detector).__name__} was asked for with other classes.",
            f"'{wrong[0]}' depends on the number of classes, and is in no layer that its "
            f"class_layers names.",
            f'In its plugin, let class_layers name it too: ClassLayer("{layer:.80}", channels=…).',
        )
