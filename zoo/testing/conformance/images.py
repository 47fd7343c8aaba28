"""Small images and targets to check a detector with, and passes over them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor

from zoo.contract import Batch, Protocol, Target
from zoo.detections import Detections
from zoo.detectors.detector import Detector
from zoo.inference.runner import eval_mode

HEIGHT, WIDTH = 48, 64
BOX = (10.0, 8.0, 42.0, 40.0)
EVERYTHING = Protocol(score=0.0, max_boxes=50)


def scene(height: int = HEIGHT, width: int = WIDTH, *, seed: int = 0) -> Tensor:
    """Colored rectangles on noise, uint8 `(3, height, width)`, different for each seed."""
    generator = torch.Generator().manual_seed(1000 * seed + height + width)
    image = torch.randint(60, 120, (3, height, width), dtype=torch.uint8, generator=generator)
    for _ in range(3):
        top, left = (
            int(torch.randint(0, height, (1,), generator=generator)),
            int(torch.randint(0, width, (1,), generator=generator)),
        )
        color = torch.randint(0, 256, (3, 1, 1), dtype=torch.uint8, generator=generator)
        image[:, top : top + height // 2 + 1, left : left + width // 2 + 1] = color
    return image


def one_target(label: int = 0, *, box: tuple[float, float, float, float] = BOX) -> Target:
    """One object in a scene of the default size."""
    return Target(torch.tensor([box]), torch.tensor([label]))


def no_objects() -> Target:
    """A target without objects."""
    return Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))


def copy_targets(targets: Sequence[Target]) -> list[Target]:
    """Copies for a loss that may write to its targets."""
    return [Target(target.boxes.clone(), target.labels.clone()) for target in targets]


def detect(detector: Detector, image: Tensor) -> Detections:
    """The fifty best detections in one image, whatever their score."""
    return detect_all(detector, [image])[0]


def detect_all(detector: Detector, images: Sequence[Tensor]) -> list[Detections]:
    """The same for several images, in one batch if their input sizes allow it."""
    return detector.detect(
        list(images),
        score=EVERYTHING.score,
        max_boxes=EVERYTHING.max_boxes,
        batch_size=len(images),
        threads=0,
        progress=False,
    )


def decode(
    detector: Detector, images: Sequence[Tensor], protocol: Protocol = EVERYTHING
) -> list[Detections]:
    """The results of `decode` as they are, without what `detect` does to them."""
    return Pass.at(detector, images).decoded(protocol)


def preprocess(detector: Detector, images: Sequence[Tensor]) -> Batch:
    """The images as one batch, on the network's device and in its float type."""
    return detector.preprocess(list(images), device=detector.device, dtype=detector.dtype)


@dataclass(frozen=True)
class Pass:
    """A batch of images and the network's outputs for it, which can be decoded repeatedly."""

    detector: Detector
    batch: Batch
    outputs: object

    @classmethod
    def at(cls, detector: Detector, images: Sequence[Tensor]) -> Pass:
        """Runs preprocess and forward in eval mode."""
        with eval_mode(detector), torch.inference_mode():
            batch = preprocess(detector, images)
            return cls(detector, batch, detector(batch))

    def decoded(self, protocol: Protocol) -> list[Detections]:
        """The detections by that protocol; decodes a copy, as `decode` may write to the
        outputs."""
        with eval_mode(self.detector), torch.inference_mode():
            return self.detector.decode(
                deepcopy(self.outputs), self.batch, protocol.thresholds(self.detector.defaults)
            )
