"""Session: what runs the graph of an exported network, in whatever library."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class Session(typing.Protocol):
    """A graph that is ready to run. Threads may share it.

    version: of the library, as `1.32.0`.
    """

    version: str

    def __call__(self, inputs: Mapping[str, Tensor]) -> Sequence[Tensor]:
        """The graph's outputs in its own order.

        inputs: contiguous tensors by the names of the graph's inputs, on the engine's device.
        """
