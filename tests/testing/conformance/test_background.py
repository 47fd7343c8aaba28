"""Background is taught in every map of a network, not in the finest alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.contract import Thresholds
from zoo.detections import Detections
from zoo.detectors import Batch, Target
from zoo.labels import LabelSpace
from zoo.testing import Model, Toy, run

SPACE = LabelSpace.custom(["red", "green", "blue"])
Output = dict[str, Tensor]
QUARTERS = torch.tensor(
    [[0.0, 0, 16, 16], [16.0, 0, 32, 16], [0.0, 16, 16, 32], [16.0, 16, 32, 32]]
)  # of its input


class TwoMaps(Toy):
    """Beside the toy's cells, four coarse ones say which class fills their quarter of the image;
    objects are the fine ones'."""

    def __init__(self, label_space: LabelSpace) -> None:
        super().__init__(label_space)
        self.quarter = nn.Conv2d(3, len(label_space), 1)

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Output:  # type: ignore[override]
        coarse = self.quarter(functional.avg_pool2d(batch.pixels, 16))  # (b, n, 2, 2)
        return {"fine": super().forward(batch, targets), "coarse": coarse}

    def decode(self, outputs: Output, batch: Batch, thresholds: Thresholds) -> list[Detections]:  # type: ignore[override]
        fine = super().decode(outputs["fine"], batch, Thresholds(score=0.0, iou=1.0, max_boxes=100))
        scores, labels = outputs["coarse"].sigmoid().flatten(2).max(1)  # (b, 4)
        found = zip(fine, batch.transforms, scores, labels, strict=True)
        return [
            self.one(
                place.to_input(torch.cat([seen.boxes, place.to_original(QUARTERS)])),
                torch.cat([seen.scores, score]),
                torch.cat([seen.labels, label]),
                place,
                thresholds,
            )
            for seen, place, score, label in found
        ]

    def loss(self, outputs: Output, batch: Batch, targets: Sequence[Target]) -> Output:  # type: ignore[override]
        coarse = functional.binary_cross_entropy_with_logits(
            outputs["coarse"], torch.zeros_like(outputs["coarse"])
        )
        return {**super().loss(outputs["fine"], batch, targets), "coarse": coarse}


class FinestAlone(TwoMaps):
    """Its coarse map learns nothing of background."""

    def loss(self, outputs: Output, batch: Batch, targets: Sequence[Target]) -> Output:  # type: ignore[override]
        return Toy.loss(self, outputs["fine"], batch, targets)


class Idle(TwoMaps):
    """Its coarse map has no say in what is decoded, as the map of a mask has not, and learns
    nothing of background."""

    def decode(self, outputs: Output, batch: Batch, thresholds: Thresholds) -> list[Detections]:  # type: ignore[override]
        return Toy.decode(self, outputs["fine"], batch, thresholds)

    def loss(self, outputs: Output, batch: Batch, targets: Sequence[Target]) -> Output:  # type: ignore[override]
        return Toy.loss(self, outputs["fine"], batch, targets)


@pytest.mark.parametrize("kind", [TwoMaps, Idle])
def test_a_loss_that_teaches_what_is_decoded_passes(kind: type[Toy]) -> None:
    [outcome] = run(Model("toy", kind, SPACE), only=["background_is_unlearnt_everywhere"])
    assert (outcome.status, outcome.reason) == ("passed", "")


def test_negatives_of_the_finest_map_alone_are_found() -> None:
    [outcome] = run(Model("toy", FinestAlone, SPACE), only=["background_is_unlearnt_everywhere"])
    assert outcome.status == "failed"
    assert (
        outcome.reason
        == "Where its map of 2 x 2 cells detects objects in background, the loss has no gradient."
    )
    [before] = run(Model("toy", FinestAlone, SPACE), only=["background_is_unlearnt"])
    assert before.status == "passed"  # most of what it believes is of the finest map


def test_a_network_of_one_map_is_not_asked() -> None:
    [outcome] = run(Model("toy", Toy, SPACE), only=["background_is_unlearnt_everywhere"])
    assert (outcome.status, outcome.reason) == ("skipped", "Its last layers have one map, or none.")
