"""A detector can be saved, copied, moved and shared between threads, and sees the same
afterwards."""

from __future__ import annotations

import copy
import io
import pickle
from concurrent.futures import ThreadPoolExecutor

import torch
from safetensors.torch import load, save

from zoo.detectors.detector import Detector
from zoo.testing.conformance.compare import agree, difference
from zoo.testing.conformance.errors import NotHere, require
from zoo.testing.conformance.images import detect, scene

THREADS = 4


def check_state_through_safetensors(detector: Detector) -> None:
    """The state dict can be written to safetensors and read back bit for bit."""
    state = detector.state_dict()
    again = load(save({name: tensor.contiguous() for name, tensor in state.items()}))
    lost = sorted(state.keys() ^ again.keys())
    require(not lost, f"Tensors were lost: {', '.join(lost[:4])}.")
    changed = [name for name, tensor in state.items() if not torch.equal(tensor.cpu(), again[name])]
    require(not changed, f"Tensors were changed: {', '.join(changed[:4])}.")
    places = [tensor.data_ptr() for tensor in state.values() if tensor.numel()]
    require(
        len(set(places)) == len(places),
        "Two names of the state dict share one tensor, which a safetensors file can't hold.",
    )


def check_deep_copy(detector: Detector) -> None:
    """A deep copy has the same detections and shares no weight with the original."""
    twin = copy.deepcopy(detector)
    mine = {parameter.data_ptr() for parameter in detector.parameters()}
    shared = [name for name, parameter in twin.named_parameters() if parameter.data_ptr() in mine]
    require(not shared, f"A deep copy shares {', '.join(shared[:4])} with the original.")
    _check_same(twin, detector, "A deep copy")


def check_pickle(detector: Detector) -> None:
    """A pickled copy, as sent to another process, has the same detections."""
    file = io.BytesIO()
    pickle.dump(detector, file)
    file.seek(0)
    _check_same(pickle.load(file), detector, "A pickled detector")


def check_float64(detector: Detector) -> None:
    """In float64 it detects, with float32 boxes; back in its own type its detections are exactly
    those from before.

    Detections are not compared across types.
    """
    before, dtype = detect(detector, scene()), detector.dtype
    try:
        detector.double()
        detections = detect(detector, scene())
        require(
            detections.boxes.dtype == torch.float32,
            f"In float64 its boxes are {detections.boxes.dtype}; they have to be float32.",
        )
    finally:
        detector.to(dtype)
    after = detect(detector, scene())
    require(after.equals(before), f"After float64 and back it detects {difference(after, before)}.")


def check_other_device(detector: Detector) -> None:
    """On another device it detects the same: 80 % of the 20 best boxes have a partner of the same
    label, with an IoU of 0.9 and a score within 0.01."""
    device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if device is None or detector.device.type == device.type:
        raise NotHere("This machine has no device but the one that it is on.")
    before, home = detect(detector, scene()), detector.device
    try:
        detector.to(device)
        detections = detect(detector, scene())
    finally:
        detector.to(home)
    require(agree(detections, before), f"On {device} it detects {difference(detections, before)}.")


def check_threads(detector: Detector) -> None:
    """Four threads that detect at the same time have the same detections as one after the other.

    Tolerance: 80 % of the 20 best boxes have a partner of the same label, with an IoU of 0.9 and a
        score within 0.01.
    """
    images = [scene(32 + 16 * number, 64, seed=number) for number in range(THREADS)]
    alone = [detect(detector, image) for image in images]
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(lambda image: detect(detector, image), images))
    for detections, other in zip(together, alone, strict=True):
        require(
            agree(detections, other),
            f"With other threads it detects {difference(detections, other)}.",
        )


def _check_same(twin: Detector, detector: Detector, subject: str) -> None:
    detections, expected = detect(twin, scene()), detect(detector, scene())
    require(detections.equals(expected), f"{subject} detects {difference(detections, expected)}.")
