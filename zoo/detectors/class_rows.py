"""Finds the rows of a class layer's tensors by channel, initialises them, and copies those of known
classes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from zoo.contract import ClassLayer
from zoo.detectors.detector import Detector
from zoo.errors import ContractError
from zoo.registry.plugin_messages import describe_exception

CLASS_LAYERS_FIX = "Correct class_layers in its plugin"


def submodule(detector: Detector, layer: ClassLayer) -> nn.Module:
    """The module of a class layer. Raises: ContractError if the detector has none of that name."""
    try:
        return detector.get_submodule(layer.name)
    except AttributeError as error:
        raise ContractError(
            f"The class layers of {type(detector).__name__} can't be found.",
            f"Its class_layers names '{layer.name}', and it has no such layer.",
            f"{CLASS_LAYERS_FIX}.",
        ) from error


def by_channel(tensor: Tensor, layer: ClassLayer, detector: Detector) -> Tensor:
    """A view `(outer, channels, inner, …)` of a layer's tensor: its rows by block, channel and row
    of the channel.

    Raises: ContractError if it has more or fewer rows than the layer says.
    """
    outer, channels, inner = layer.shape
    if tensor.shape[0] == outer * channels * inner:
        return tensor.view(outer, channels, inner, *tensor.shape[1:])
    raise ContractError(
        f"The rows of each class in '{layer.name}' of {type(detector).__name__} can't be found.",
        f"Its class_layers says {outer} x {channels} x {inner}, and there are {tensor.shape[0]}.",
        f"{CLASS_LAYERS_FIX}{_background_hint(tensor, layer)}.",
    )


@torch.no_grad()
def transfer_rows(
    source: Detector,
    detector: Detector,
    old: ClassLayer,
    layer: ClassLayer,
    label: Mapping[int, int],
) -> dict[str, tuple[Tensor, int]]:
    """Initialises a class layer of `detector` as its family does, then copies the rows of known
    classes from `source`.

    old:   the same layer in `source`.
    label: label of `detector` -> label of `source`.

    Returns each tensor of the layer by its name in the state dict, with the number of its new rows.
    """
    module = submodule(detector, layer).to_empty(device="cpu")
    start_layer(layer, module)
    pairs = _channel_pairs(old, layer, label)
    old_tensors = _tensors_with_rows(source.get_submodule(old.name))
    new_count = layer.outer * layer.inner * (len(layer.channels) - len(pairs))
    tensors = {}
    for name, tensor in _tensors_with_rows(module).items():
        rows = by_channel(tensor, layer, detector)
        old_rows = by_channel(old_tensors[name], old, source)
        rows[:, list(pairs)] = old_rows[:, list(pairs.values())].to(rows.dtype)
        tensors[f"{layer.name}.{name}"] = tensor.detach(), new_count
    return tensors


def _tensors_with_rows(module: nn.Module) -> dict[str, Tensor]:
    """A layer's parameters and buffers that have rows, as the running mean of a batch norm has."""
    state = module.state_dict(keep_vars=True)
    own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
    return {name: tensor for name, tensor in own if name in state and tensor.ndim}


def start_layer(layer: ClassLayer, module: nn.Module) -> None:
    """Initialises a layer by its `start`. Raises: ContractError for whatever that raises."""
    try:
        layer.start(module)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # whatever a plugin's function raises
        raise ContractError(
            f"The class layer '{layer.name}' can't be started by its `start`.",
            f"It {describe_exception(error).rstrip('.')}.",
            f"It is given the layer, and sets its weight and bias in place. {CLASS_LAYERS_FIX}.",
        ) from error


def _channel_pairs(old: ClassLayer, layer: ClassLayer, label: Mapping[int, int]) -> dict[int, int]:
    """New channel -> the old channel whose rows it gets: the one of the same class, of background,
    or the unused one at the same index."""
    old_channels = {
        old_label: channel for channel, old_label in enumerate(old.channels) if old_label >= 0
    }
    pairs = {}
    for channel, new_label in enumerate(layer.channels):
        if new_label >= 0:
            source = old_channels.get(label.get(new_label, -1))
        elif layer.background is not None and channel == layer.background:
            source = old.background
        elif channel < len(old.channels) and old.channels[channel] < 0:
            source = channel if channel != old.background else None
        else:
            source = None
        if source is not None:
            pairs[channel] = source
    return pairs


def _background_hint(tensor: Tensor, layer: ClassLayer) -> str:
    """A hint at the usual cause if one channel is missing: a background channel."""
    outer, channels, inner = layer.shape
    forgotten = layer.background is None and tensor.shape[0] == outer * (channels + 1) * inner
    if not forgotten:
        return ""
    return (
        ": a background channel before the classes is channels=(-1, *label_space.channels), "
        "background=0"
    )
