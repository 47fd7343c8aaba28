"""A minimal detector for tests, with 35 weights for three classes; it passes every conformance
check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import batched_nms

from zoo.contract import Batch, ClassLayer, InputTransform, Target, Thresholds, targets_to_input
from zoo.detections import Detections
from zoo.detectors.detector import Detector
from zoo.labels import LabelSpace

CELL = 8
SIDE = 32


@dataclass(frozen=True)
class Stretch:
    """Stretches images to one size, and 0..255 to -2..2."""

    size: tuple[int, int] = (SIDE, SIDE)

    def __call__(
        self,
        images: Sequence[Tensor],
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Batch:
        """One batch of the images."""
        height, width = self.size
        stretched = [
            F.interpolate(image[None].float(), size=self.size, mode="bilinear")[0]
            for image in images
        ]
        sizes = [(image.shape[1], image.shape[2]) for image in images]
        transforms = tuple(
            InputTransform(tall, wide, scale_y=height / tall, scale_x=width / wide)
            for tall, wide in sizes
        )
        pixels = (torch.stack(stretched) / 255 - 0.5) / 0.25
        return Batch(pixels.to(device, dtype), transforms)

    def input_size(self, height: int, width: int) -> tuple[int, int]:  # noqa: ARG002 - all are stretched to one size
        """Always `size`."""
        return self.size

    def at(self, size: tuple[int, int]) -> Stretch:
        """The same preprocess for another size."""
        return Stretch(size)


class Toy(Detector):
    """Stretches an image to 32 x 32 pixels and predicts one box and its class for each cell of
    8 x 8 pixels.

    Batch norm and dropout make train mode visible: outputs differ from eval mode, and running
    statistics change.
    """

    def __init__(self, label_space: LabelSpace) -> None:
        super().__init__(
            label_space=label_space,
            defaults=Thresholds(score=0.05, iou=0.5, max_boxes=10),
            preprocess=Stretch(),
        )
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout(0.2)
        self.size = nn.Conv2d(3, 4, 1)
        self.kind = nn.Conv2d(3, len(label_space), 1)
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Tensor:  # noqa: ARG002 - it needs none
        """Box extents and class logits of each cell: (b, 4 + n, 4, 4)."""
        maps = self.drop(F.avg_pool2d(self.norm(batch.pixels), CELL))
        return torch.cat([self.size(maps), self.gain * self.kind(maps)], 1)  # (b, 4 + n, 4, 4)

    def decode(self, outputs: Tensor, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        """The boxes of cells whose best class scores enough, after NMS within each class."""
        scores, labels = outputs[:, 4:].float().sigmoid().flatten(2).max(1)  # (b, 16)
        columns = zip(
            _boxes(outputs.float()).cpu(), scores.cpu(), labels.cpu(), batch.transforms, strict=True
        )
        return [self.one(*each, thresholds) for each in columns]

    def one(
        self,
        boxes: Tensor,
        scores: Tensor,
        labels: Tensor,
        transform: InputTransform,
        thresholds: Thresholds,
    ) -> Detections:
        """The detections of one image's 16 cells."""
        boxes = transform.to_original(boxes)
        rows = batched_nms(boxes, scores, labels, thresholds.iou)
        rows = rows[scores[rows] >= thresholds.score][: thresholds.max_boxes]
        return Detections(
            boxes[rows],
            scores[rows],
            labels[rows],
            self.label_space,
            size=(transform.height, transform.width),
        )

    def class_layers(self) -> list[ClassLayer]:
        """The only layer with a row for each class."""
        return [ClassLayer("kind", channels=self.label_space.channels)]

    def loss(self, outputs: Tensor, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        """`kind`: which class has its center in a cell; `size`: how far the edges of that cell's
        box are off."""
        expected, boxes = (
            torch.zeros_like(outputs[:, 4:]),
            _boxes(outputs).view(-1, *outputs.shape[2:], 4),
        )  # (b, n, 4, 4), (b, 4, 4, 4)
        apart = [boxes.sum() * 0]
        for kind, cells, target in zip(
            expected, boxes, targets_to_input(batch, targets, self.label_space), strict=True
        ):
            middles = (
                ((target.boxes[:, :2] + target.boxes[:, 2:]) / 2 / CELL)
                .int()
                .clamp(0, SIDE // CELL - 1)
            )
            for (x, y), box, label in zip(
                middles.tolist(), target.boxes, target.labels.tolist(), strict=True
            ):
                kind[label, y, x] = 1
                apart.append(F.l1_loss(cells[y, x], box) / CELL)
        return {
            "kind": F.binary_cross_entropy_with_logits(outputs[:, 4:], expected),
            "size": torch.stack(apart).sum(),
        }


def _boxes(outputs: Tensor) -> Tensor:
    """The box of each cell, around its centre: (b, 16, 4)."""
    centers = (torch.arange(SIDE // CELL, device=outputs.device) + 0.5) * CELL
    where = torch.stack(torch.meshgrid(centers, centers, indexing="xy"))  # (2, 4, 4)
    reach = outputs[:, :4].sigmoid() * 2 * CELL  # (b, 4, 4, 4)
    return (
        torch.cat([where - reach[:, :2], where + reach[:, 2:]], 1).flatten(2).transpose(1, 2)
    )  # (b, 16, 4)
