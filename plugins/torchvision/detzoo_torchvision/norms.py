"""Frozen batch norm: what the published first-generation weights were trained with, and the eps
they need."""

from __future__ import annotations

from torch import nn
from torchvision.ops import FrozenBatchNorm2d


def freeze_norms(module: nn.Module) -> None:
    """Puts FrozenBatchNorm2d in the place of every fresh BatchNorm2d inside `module`.

    torchvision's builders do this only when they download weights themselves. Fresh: scale and
    shift are still 1 and 0, as they are in the new layers.
    """
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, FrozenBatchNorm2d(child.num_features, eps=child.eps))


def set_frozen_eps(module: nn.Module, eps: float) -> int:
    """Sets the eps of every FrozenBatchNorm2d inside `module`; returns how many there are.

    torchvision's oldest weights are from before its frozen norms had one, and are meant for eps 0
    (pytorch/vision#2933).
    """
    frozen = [child for child in module.modules() if isinstance(child, FrozenBatchNorm2d)]
    for child in frozen:
        child.eps = eps
    return len(frozen)
