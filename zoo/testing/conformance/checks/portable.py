"""A preprocess works at any size and without its network; a batch moves as a whole."""

from __future__ import annotations

import io
import pickle
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from zoo.contract import Batch
from zoo.detectors.detector import Detector
from zoo.testing.conformance.errors import ConformanceError, require
from zoo.testing.conformance.free_outputs import tensors
from zoo.testing.conformance.images import HEIGHT, WIDTH, preprocess, scene
from zoo.testing.conformance.other_process import preprocess_elsewhere


def check_preprocess_needs_no_network(detector: Detector) -> None:
    """Its `preprocess` can be pickled without the network, and makes the same batch in a process
    that never built a network."""
    images = [scene(), scene(seed=1)]
    batch = preprocess_elsewhere(_pickle_preprocess(detector), images)
    expected = detector.preprocess(images, device="cpu", dtype=torch.float32)
    _check_same(batch, expected, "In another process its preprocess")


def check_preprocess_at_any_size(detector: Detector) -> None:
    """`preprocess.at(size)` has that size, and a larger input for a larger size; it does not change
    the detector's own."""
    own = detector.preprocess
    size = tuple(own.size)
    before = own.input_size(HEIGHT, WIDTH)
    double = size[0] * 2, size[1] * 2
    other = own.at(double)
    require(tuple(other.size) == double, f"at({double}) has the size {tuple(other.size)}.")
    after = other.input_size(HEIGHT, WIDTH)
    require(
        after[0] > before[0] and after[1] > before[1],
        f"at({double}) has the input {after}; at {size} it is {before}.",
    )
    require(
        tuple(own.size) == size and own.input_size(HEIGHT, WIDTH) == before,
        f"at({double}) changed the detector's own preprocess.",
    )
    batch, expected = own.at((size[0], size[1]))([scene()]), own([scene()])
    _check_same(batch, expected, f"at({size}), its own size,")


def check_batch_moves_as_a_whole(detector: Detector) -> None:
    """`Batch.to` moves every tensor of a batch to a device and a float type, including those in
    `extras` and in fields of a subclass."""
    batch = preprocess(detector, [scene(), scene(seed=1)])
    probe = {"numbers": torch.ones(2), "flags": torch.ones(2, dtype=torch.bool)}
    batch = replace(batch, extras={**batch.extras, **probe})
    for target in (torch.float64, torch.float16):
        for name, tensor in _named_tensors(batch.to(dtype=target)):
            is_moved = not tensor.is_floating_point() or tensor.dtype == target
            require(is_moved, f"Batch.to({target}) leaves {name} in {tensor.dtype}.")
    moved = batch.to("meta")
    for name, tensor in _named_tensors(moved):
        require(tensor.device.type == "meta", f"Batch.to(device) leaves {name} behind.")
    require(
        len(_named_tensors(moved)) == len(_named_tensors(batch)), "Batch.to(device) loses tensors."
    )
    require(type(moved) is type(batch), f"Batch.to makes a {type(moved).__name__} of it.")


class _Pickler(pickle.Pickler):
    """A pickler that refuses the network and its parameters."""

    def __init__(self, file: io.BytesIO, detector: Detector) -> None:
        super().__init__(file)
        self._forbidden = {id(detector), *map(id, detector.parameters())}

    def persistent_id(self, value: Any) -> None:
        """Raises: ConformanceError for a part of the network; pickles everything else."""
        if id(value) in self._forbidden:
            raise ConformanceError(f"Its preprocess refers to its network, {type(value).__name__}.")


def _pickle_preprocess(detector: Detector) -> bytes:
    file = io.BytesIO()
    try:
        _Pickler(file, detector).dump(detector.preprocess)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ConformanceError(f"Its preprocess can't be pickled: {error}.") from error
    return file.getvalue()


def _check_same(batch: Batch, expected: Batch, subject: str) -> None:
    require(batch.transforms == expected.transforms, f"{subject} puts the images elsewhere.")
    theirs, ours = _named_tensors(batch), _named_tensors(expected)
    require(len(theirs) == len(ours), f"{subject} makes {len(theirs)} tensors, not {len(ours)}.")
    for (name, tensor), (_, other) in zip(theirs, ours, strict=True):
        require(torch.equal(tensor, other), f"{subject} makes other {name}.")


def _named_tensors(batch: Batch) -> list[tuple[str, Tensor]]:
    return [(name, tensor) for name, value in vars(batch).items() for tensor in tensors(value)]
