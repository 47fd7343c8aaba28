"""Compares a detector in memory with the verified file of its weights."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.detectors.checkpoint import reading
from zoo.detectors.detector import Detector, translate_checkpoint
from zoo.errors import ZooError


def is_as_loaded(detector: Detector) -> bool:
    """Whether a detector's weights equal those of its verified file.

    False without a file, if the file can't be read any more, or if the head is for other classes.
    """
    file = detector.weights
    if file is None or detector.head_transfer is not None:
        return False
    own = detector.state_dict()
    try:
        with reading(file.path, own=file.own) as checkpoint:
            state = translate_checkpoint(detector, checkpoint.tensors())
    except ZooError:
        return False
    return state.keys() == own.keys() and all(
        _are_equal(tensor, own[name].cpu()) for name, tensor in state.items()
    )


def _are_equal(file: Tensor, own: Tensor) -> bool:
    """Whether two tensors hold the same numbers, also in different types."""
    if file.dtype != own.dtype:
        if file.is_complex() or own.is_complex():
            return False
        file, own = file.double(), own.double()
    return torch.equal(file, own)
