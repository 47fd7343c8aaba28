"""The moving average of a detector's weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from zoo.train.recipe import EMA


class Average:
    """Averages every float tensor of a network's state; integer ones are those of the last step."""

    def __init__(self, network: nn.Module, plan: EMA) -> None:
        self.plan = plan
        self.tensors = {name: value.detach().clone() for name, value in _state(network).items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Adds the network after a step, counted from 1, to the average."""
        share = 1 - self.plan.decay * (1 - math.exp(-step / self.plan.ramp_steps))
        own, new = self.tensors, _state(network)
        floats = [name for name, value in own.items() if value.is_floating_point()]
        torch._foreach_lerp_([own[name] for name in floats], [new[name] for name in floats], share)
        for name in own.keys() - set(floats):
            own[name].copy_(new[name])

    @contextmanager
    def inside(self, network: nn.Module) -> Iterator[None]:
        """Context in which the network has the average as its weights."""
        state = _state(network)
        own_weights = {name: value.detach().clone() for name, value in state.items()}
        _fill(state, self.tensors)
        try:
            yield
        finally:
            _fill(state, own_weights)


def _state(network: nn.Module) -> dict[str, Tensor]:
    state: dict[str, Tensor] = network.state_dict()
    return state


@torch.no_grad()
def _fill(state: dict[str, Tensor], values: dict[str, Tensor]) -> None:
    for name, value in state.items():
        value.copy_(values[name])
