"""An end for builders that a number on a card would keep building: no detector has thirty thousand
layers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.module import (
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)

LAYERS = 30_000
PARAMETERS = 100_000_000_000


class TooLarge(ValueError):
    """A network is being built that nobody means; the text says what is too much."""


@contextmanager
def limited() -> Iterator[None]:
    """Stops a builder that this thread runs inside. Raises: TooLarge, from within it."""
    builder = threading.get_ident()
    layers = parameters = 0

    def count_layer(_: nn.Module, __: str, ___: nn.Module | None) -> None:
        nonlocal layers
        layers += threading.get_ident() == builder
        if layers > LAYERS:
            raise TooLarge(f"The network would have more than {LAYERS:,} layers")

    def count_parameters(_: nn.Module, __: str, parameter: nn.Parameter | None) -> None:
        nonlocal parameters
        if parameter is not None and threading.get_ident() == builder:
            parameters += parameter.numel()
        if parameters > PARAMETERS:
            raise TooLarge(f"The network would have more than {PARAMETERS:,} parameters")

    hooks = (
        register_module_module_registration_hook(count_layer),
        register_module_parameter_registration_hook(count_parameters),
    )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
