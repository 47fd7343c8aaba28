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
from zoo.testing.conformance.other_process import preprocessed_elsewhere


def check_preprocess_needs_no_network(detector: Detector) -> None:
    """Its `preprocess` can be pickled without the network, and makes the same batch in a process
    that never built one."""
    images = [scene(), scene(seed=1)]
    made = preprocessed_elsewhere(_pickled(detector), images)
    expected = detector.preprocess(images, device="cpu", dtype=torch.float32)
    _check_same(made, expected, "In another process its preprocess")


def check_preprocess_at_any_size(detector: Detector) -> None:
    """`preprocess.at(size)` has that size and a larger input if it is larger, and leaves the
    detector's own as it is."""
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
    made, expected = own.at((size[0], size[1]))([scene()]), own([scene()])
    _check_same(made, expected, f"at({size}), its own size,")


def check_batch_moves_as_a_whole(detector: Detector) -> None:
    """`Batch.to` moves every tensor of its batch to a device and to a float type, those in `extras`
    and in fields of a subclass as well."""
    batch = preprocess(detector, [scene(), scene(seed=1)])
    probe = {"numbers": torch.ones(2), "flags": torch.ones(2, dtype=torch.bool)}
    batch = replace(batch, extras={**batch.extras, **probe})
    for target in (torch.float64, torch.float16):
        for name, tensor in _named_tensors(batch.to(dtype=target)):
            kept = not tensor.is_floating_point() or tensor.dtype == target
            require(kept, f"Batch.to({target}) leaves {name} in {tensor.dtype}.")
    moved = batch.to("meta")
    for name, tensor in _named_tensors(moved):
        require(tensor.device.type == "meta", f"Batch.to(device) leaves {name} behind.")
    require(
        len(_named_tensors(moved)) == len(_named_tensors(batch)), "Batch.to(device) loses tensors."
    )
    require(type(moved) is type(batch), f"Batch.to makes a {type(moved).__name__} of it.")


class _Pickler(pickle.Pickler):
    """Refuses the network and its parameters."""

    def __init__(self, file: io.BytesIO, detector: Detector) -> None:
        super().__init__(file)
        self._forbidden = {id(detector), *map(id, detector.parameters())}

    def persistent_id(self, value: Any) -> None:
        """Raises: ConformanceError for a part of the network; pickles everything else."""
        if id(value) in self._forbidden:
            raise ConformanceError(f"Its preprocess refers to its network, {type(value).__name__}.")


def _pickled(detector: Detector) -> bytes:
    file = io.BytesIO()
    try:
        _Pickler(file, detector).dump(detector.preprocess)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ConformanceError(f"Its preprocess can't be pickled: {error}.") from error
    return file.getvalue()


def _check_same(made: Batch, expected: Batch, what: str) -> None:
    require(made.transforms == expected.transforms, f"{what} puts the images elsewhere.")
    theirs, ours = _named_tensors(made), _named_tensors(expected)
    require(len(theirs) == len(ours), f"{what} makes {len(theirs)} tensors, not {len(ours)}.")
    for (name, tensor), (_, other) in zip(theirs, ours, strict=True):
        require(torch.equal(tensor, other), f"{what} makes other {name}.")


def _named_tensors(batch: Batch) -> list[tuple[str, Tensor]]:
    return [(name, tensor) for name, value in vars(batch).items() for tensor in tensors(value)]
