"""Published YOLOX checkpoints under this plugin's names, with their batch norms, folded into the
convolutions or not."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from detzoo_yolox.blocks import NEUTRAL_VARIANCE

# Upstream nests the backbone in the neck, as `backbone.backbone`, and names each of the neck's
# modules.
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
    """A checkpoint's tensors, in upstream's layout or already in this plugin's, under this plugin's
    names."""
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
    """Gives each convolution whose batch norm was folded into it a norm that takes nothing away,
    and can be trained (see `Norm`).

    A published file without batch norm holds `conv.weight` and `conv.bias`. The bias becomes the
    norm's, and so does the size of each filter, as a power of two, which rounds nothing: filters of
    a thousandth would be gone after the first steps of training.
    """
    unfolded = {name: tensor for name, tensor in state.items() if not name.endswith(FOLDED)}
    for name in state.keys() - unfolded.keys():
        block, bias = name.removesuffix(FOLDED), state[name]
        weight = state.get(f"{block}.conv.weight")
        if weight is None or weight.dim() != 4 or not weight.is_floating_point():
            continue  # no such network's: assigning them will name what does not fit
        scale = torch.exp2(torch.frexp(weight.flatten(1).norm(dim=1).float()).exponent).to(
            bias.dtype
        )  # (outputs,)
        unfolded[f"{block}.conv.weight"] = weight / scale[:, None, None, None]
        unfolded[f"{block}.bn.weight"] = scale
        unfolded[f"{block}.bn.bias"] = bias
        unfolded[f"{block}.bn.running_mean"] = torch.zeros_like(bias)
        unfolded[f"{block}.bn.running_var"] = torch.full_like(bias, NEUTRAL_VARIANCE)
        unfolded[f"{block}.bn.num_batches_tracked"] = torch.zeros((), dtype=torch.int64)
    return unfolded
