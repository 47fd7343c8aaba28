"""Published YOLOX checkpoints under this plugin's names, with their batch norms, folded into the convolutions or not."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from detzoo_yolox.norm import rest, scales

# Upstream nests the backbone in the neck, as `backbone.backbone`, and names each of the neck's modules.
NECK = {
    "reduce_conv1": "lateral.0",
    "lateral_conv0": "lateral.1",
    "C3_p3": "down.0",
    "C3_p4": "down.1",
    "bu_conv2": "shrink.0",
    "bu_conv1": "shrink.1",
    "C3_n3": "up.0",
    "C3_n4": "up.1",
    "out1_cbl": "lateral.0",
    "out1": "down.0",
    "out2_cbl": "lateral.1",
    "out2": "down.1",
}
FOLDED = ".conv.bias"  # the blocks' convolutions have no bias of their own


def translate(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A checkpoint's tensors, from upstream's layout or this plugin's, under this plugin's names; copied are folded ones only."""
    upstream = any(name.startswith("backbone.backbone.") for name in state)
    named = {rename(name): tensor for name, tensor in state.items()} if upstream else dict(state)
    return unfold(named)


def rename(name: str) -> str:
    """One of upstream's tensor names in this plugin's layout; a name that is in neither stays."""
    part, _, rest = name.partition(".")
    module, _, tail = rest.partition(".")
    if part != "backbone":
        return name
    if module == "backbone":
        return f"backbone.{tail}"
    return f"neck.{NECK[module]}.{tail}" if module in NECK else name


def unfold(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Gives each convolution whose batch norm was folded into it one that takes over its bias and the size of its filters.

    A published file without batch norm holds `conv.weight` and `conv.bias`; the output is the same to the bit, and training
    leaves the norm in place.
    """
    unfolded = {name: tensor for name, tensor in state.items() if not name.endswith(FOLDED)}
    for block, bias in ((name.removesuffix(FOLDED), one) for name, one in state.items() if name.endswith(FOLDED)):
        weight = state.get(f"{block}.conv.weight")
        scale = torch.ones_like(bias)
        if weight is not None and weight.is_floating_point() and weight.ndim == 4 and weight.shape[:1] == bias.shape:
            scale = scales(weight)
            unfolded[f"{block}.conv.weight"] = weight / scale[:, None, None, None]
        unfolded |= {f"{block}.bn.{part}": value for part, value in rest(bias, scale).items()}
    return unfolded
