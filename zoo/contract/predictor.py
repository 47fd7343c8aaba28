"""Predictor: the small interface under detecting, evaluating, timing and the leaderboard."""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from zoo.contract.protocol import Thresholds
    from zoo.detections import Detections
    from zoo.labels import LabelSpace
    from zoo.registry.exported import ExportFacts

# Out of memory, in the words of torch's allocators and of others.
_SIGNS = ("not enough memory", "can't allocate memory", "out of memory", "cannot allocate memory")


class Predictor(typing.Protocol):
    """Anything that turns images into detections; it need not be a network, nor inherit anything.
    `OptionalMembers` lists what it may have besides.

    label_space: of its detections.
    defaults:    its own thresholds.
    """

    label_space: LabelSpace
    defaults: Thresholds

    @property
    def name(self) -> str | None:
        """Its name; None if it was built by hand."""

    @property
    def device(self) -> torch.device:
        """Where images are wanted, and where the arithmetic is done."""

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of its input for an image of that size; equal ones share a batch."""

    def predict(self, images: Sequence[Tensor], thresholds: Thresholds) -> list[Detections]:
        """Detections of each image, in its pixels, on the CPU.

        images: uint8 RGB `(3, h, w)`, of any sizes, on `device`; their input sizes are equal.
        """


@typing.runtime_checkable
class HashedFile(typing.Protocol):
    """A file of weights with its SHA-256, as 64 hex digits."""

    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True)
class OptionalMembers:
    """Members that a predictor may have, with the value that stands for a missing one.

    auto_batch:    the images of an input `(height, width)` that make a batch of "auto" size; None,
        or a result of None, leaves it to the device.
    calls_at_once: threads that may usefully call `predict` at the same time.
    release:       frees what it holds between two batches.
    weights:       the file of its weights.
    engine, version: what computes its network, and the version of that library; None for torch.
    facts:         the description of itself of the exported file that it runs.
    network:       the detector that the exported file was made from, without weights.
    """

    auto_batch: Callable[[int, int], int | None] | None = None
    calls_at_once: int = 1
    release: Callable[[], None] | None = None
    weights: HashedFile | None = None
    engine: str | None = None
    version: str | None = None
    facts: ExportFacts | None = None
    network: nn.Module | None = None


class StepError(Exception):
    """The code of a predictor raised an error in one of its steps; the error is the cause."""

    def __init__(self, step: str, error: BaseException) -> None:
        says = " ".join(str(error).split())
        super().__init__(f"{step} raised {type(error).__name__}: {says}")
        self.step = step


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, of the machine or of an accelerator: nobody's code is at fault.

    torch raises a plain RuntimeError where its CPU allocator gets none.
    """
    import torch  # deferred: no torch is needed to be a predictor

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS)
