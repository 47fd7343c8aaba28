"""Chooses the parameters to train and their learning rates: freezing, batch norm, groups,
schedule."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from zoo.detectors import Detector
from zoo.errors import UsageError
from zoo.suggest import close_matches, join_or
from zoo.train.recipe import Recipe, Schedule

_BACKBONE = re.compile(r"(^|\.)backbone(\.|$)")


def freeze(detector: Detector, recipe: Recipe) -> None:
    """Freezes the modules of the recipe's `freeze`, and batch norms if it freezes them.

    Raises: UsageError for an unknown module, or if nothing is left to train.
    """
    for module in _frozen(detector, recipe):
        module.requires_grad_(False)
    if recipe.batch_norm == "frozen":
        for norm in _norms(detector):
            norm.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in detector.parameters()):
        raise UsageError(
            "The recipe can't be used.",
            f"freeze: {', '.join(recipe.freeze)} leaves nothing to train.",
            "Freeze fewer modules.",
        )


def train_mode(detector: Detector, recipe: Recipe) -> None:
    """Sets train mode, except for frozen modules and batch norms whose statistics stay."""
    detector.train()
    for module in _frozen(detector, recipe):
        module.eval()
    if recipe.batch_norm in ("fixed", "frozen"):
        for norm in _norms(detector):
            norm.eval()


def _norms(detector: Detector) -> Iterable[nn.Module]:
    return (module for module in detector.modules() if isinstance(module, _BatchNorm))


def _frozen(detector: Detector, recipe: Recipe) -> list[nn.Module]:
    """The modules of `freeze`, by their full name or the end of it. Raises: UsageError."""
    modules = dict(detector.named_modules())
    frozen: list[nn.Module] = []
    for name in recipe.freeze:
        matches = [
            module for own, module in modules.items() if own == name or own.endswith(f".{name}")
        ]
        if not matches:
            alike = close_matches(name, modules) or [own for own in modules if own.count(".") == 0]
            raise UsageError(
                "The recipe can't be used.",
                f"freeze: the network has no module '{name}'.",
                f"Did you mean {join_or([part for part in alike if part][:4])}?",
            )
        frozen += matches
    return frozen


def optimizer_of(detector: Detector, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimizer, with a group of parameters per factor on the learning rate and weight
    decay."""
    plan = recipe.optimizer
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in detector.named_parameters():
        if not parameter.requires_grad:
            continue
        factor = plan.backbone_factor if _BACKBONE.search(name) else 1.0
        decays = parameter.ndim > 1 or plan.decay_all  # norms and biases have one dimension
        groups.setdefault((factor, plan.weight_decay if decays else 0.0), []).append(parameter)
    listed = [
        {"params": members, "lr": plan.lr * factor, "factor": factor, "weight_decay": decay}
        for (factor, decay), members in sorted(groups.items())
    ]
    if plan.name == "sgd":
        return torch.optim.SGD(
            listed, lr=plan.lr, momentum=plan.momentum, nesterov=plan.momentum > 0
        )
    first, second = plan.betas
    return torch.optim.AdamW(listed, lr=plan.lr, betas=(first, second))


def set_rates(optimizer: torch.optim.Optimizer, recipe: Recipe, step: int, steps: int) -> float:
    """Sets every group's learning rate for a step, from 0, of a run of `steps`; returns the
    highest."""
    rate = recipe.optimizer.lr * rate_at(recipe.schedule, step, steps)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]
    return rate


def rate_at(schedule: Schedule, step: int, steps: int) -> float:
    """The learning rate at a step, from 0, of a run of `steps`, as a share of the highest."""
    if step < schedule.warmup_steps:
        return (step + 1) / schedule.warmup_steps
    done = (step - schedule.warmup_steps) / max(1, steps - schedule.warmup_steps)
    if schedule.kind == "step":
        return schedule.factor ** sum(step >= share * steps for share in schedule.at)
    fall = 1 - schedule.floor
    if schedule.kind == "cosine":
        return schedule.floor + fall * (1 + math.cos(math.pi * done)) / 2
    return 1 - fall * done if schedule.kind == "linear" else 1.0
