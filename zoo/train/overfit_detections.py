"""Compares a detector's detections with the boxes of the batch that it has learned, to check that
its decode agrees with its loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.modules.batchnorm import _BatchNorm
from torchvision.ops import box_iou

from zoo.contract import Target
from zoo.contract.protocol import Protocol
from zoo.data.ground_truth import GroundTruth
from zoo.detections import Detections
from zoo.detectors import Detector
from zoo.evaluate import Evaluator
from zoo.inference.detect import detect
from zoo.train.objective import Objective
from zoo.train.samples import MicroBatch

PROTOCOL = "uniform"
MIN_IOU = 0.5  # smallest IoU of a detection at a box's place
CERTAIN = 0.3  # smallest score of a certain detection
FOUND = 0.2  # AP50 on the batch: higher if it was memorised, near 0 if decode is wrong


@dataclass(frozen=True)
class Recall:
    """How well a detector finds the boxes of a batch.

    ap50:       of the shared evaluator.
    boxes:      their number.
    placed:     number of boxes with a detection of any class at their place.
    certain:    number of detections that score `CERTAIN` or more.
    detections: number of all detections.
    """

    ap50: float
    boxes: int
    placed: int
    certain: int
    detections: int

    @property
    def is_found(self) -> bool:
        """Whether the detections match the boxes."""
        return self.ap50 >= FOUND

    @property
    def meaning(self) -> str:
        """The usual reason if they don't."""
        if not self.detections:
            return (
                "Nothing is detected at all: usually decode drops what was learned, by a second "
                "sigmoid, a threshold, or boxes without area."
            )
        if self.placed * 2 >= self.boxes:
            return (
                f"{self.placed} of its {self.boxes} boxes have a detection of another class at "
                "their place: usually loss and decode number the classes differently, from 0 and "
                "from 1, or by the ids of a data set."
            )
        return (
            f"{self.placed} of its {self.boxes} boxes have a detection at their place: usually "
            "loss and decode mean different boxes, corners and centres, pixels and fractions, or "
            "the network's input and the image."
        )


def found_in(detector: Detector, micro_batch: MicroBatch, images: Sequence[torch.Tensor]) -> Recall:
    """Detects in the images of a batch with a detector in train mode, and leaves it in that mode.

    Batch norms first take the statistics of the batch, as their averages lag after few steps.
    """
    modes = {module: module.training for module in detector.modules()}
    _settle(detector, micro_batch)
    detector.eval()
    detections = detect(
        detector, list(images), protocol=Protocol.named(PROTOCOL), progress=False, threads=0
    )
    for module, training in modes.items():
        module.training = training
    assert isinstance(detections, list)
    return _compare(detections, micro_batch.targets, detector)


@torch.no_grad()
def _settle(detector: Detector, micro_batch: MicroBatch) -> None:
    norms = [
        module
        for module in detector.modules()
        if isinstance(module, _BatchNorm) and module.training
    ]
    if not norms:
        return
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches since, of which there is one
    Objective(detector)(micro_batch.batch, micro_batch.targets)
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum


def _compare(
    detections: Sequence[Detections], targets: Sequence[Target], detector: Detector
) -> Recall:
    space = detector.label_space
    numbers = [number for number, target in enumerate(targets) for _ in range(len(target.labels))]
    boxes = torch.cat([target.boxes for target in targets]).reshape(-1, 4)
    table: dict[str, Any] = {
        "image": numbers,
        "label": torch.cat([target.labels for target in targets]).numpy(),
        "box": boxes.double().numpy(),
    }
    truth = GroundTruth.of(range(len(targets)), table, label_space=space, name="the batch")
    evaluator = Evaluator(truth, analyses=False, threads=1)
    evaluator.update(range(len(targets)), list(detections))
    pairs = zip(detections, targets, strict=True)
    overlaps = [box_iou(target.boxes.float(), each.boxes) for each, target in pairs]
    return Recall(
        ap50=max(0.0, evaluator.numbers()["AP50"]),
        boxes=len(boxes),
        placed=sum(int((each >= MIN_IOU).any(1).sum()) for each in overlaps if each.numel()),
        certain=sum(int((each.scores >= CERTAIN).sum()) for each in detections),
        detections=sum(map(len, detections)),
    )
