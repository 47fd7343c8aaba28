"""The rows of a class layer, found where its detector says that they are."""

from __future__ import annotations

from torch import Tensor, nn

from zoo.contract import ClassLayer
from zoo.detectors.detector import Detector
from zoo.errors import ContractError


def submodule(detector: Detector, layer: ClassLayer) -> nn.Module:
    """The layer itself. Raises: ContractError where the detector has none of that name."""
    try:
        return detector.get_submodule(layer.name)
    except AttributeError as why:
        raise ContractError(
            f"{type(detector).__name__} was asked for the layers that speak of classes.",
            f"It names '{layer.name}', and has no such layer.",
            "Mend class_layers in its plugin.",
        ) from why


def by_channel(tensor: Tensor, layer: ClassLayer, detector: Detector) -> Tensor:
    """A view of a layer's tensor with its rows as block, channel and row of the channel: `(outer,
    channels, inner, …)`.

    Raises:
        ContractError: it has more or fewer rows than the layer says.
    """
    outer, channels, inner = layer.shape
    if tensor.shape[0] == outer * channels * inner:
        return tensor.view(outer, channels, inner, *tensor.shape[1:])
    raise ContractError(
        f"{type(detector).__name__} was asked for the rows of each class in '{layer.name}'.",
        f"It says {outer} x {channels} x {inner}, and there are {tensor.shape[0]}.",
        f"Mend class_layers in its plugin{_background(tensor, layer)}.",
    )


def _background(tensor: Tensor, layer: ClassLayer) -> str:
    """What one channel too few comes from, most of the time."""
    outer, channels, inner = layer.shape
    forgotten = layer.background is None and tensor.shape[0] == outer * (channels + 1) * inner
    return (
        ": a background channel before the classes is channels=(-1, *label_space.channels), "
        "background=0"
        if forgotten
        else ""
    )
