"""RetinaNet, FCOS and SSD as whole detectors, behind torchvision's backbones."""

from __future__ import annotations

from collections.abc import Sequence

from detzoo_torchvision.dense import DenseOutput, DenseSteps, FCOSSteps, RetinaNetSteps, SSDSteps
from detzoo_torchvision.detector import TorchvisionDetector
from zoo.contract import Batch, Target


class OneStage(DenseSteps, TorchvisionDetector):
    """A torchvision network without proposals."""

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> DenseOutput:  # noqa: ARG002 - the network needs none
        """Heads on every map, and the anchors that belong to them, in float32."""
        return self.outputs_of(list(self.net.backbone(batch.pixels).values()), batch)


class RetinaNet(RetinaNetSteps, OneStage):
    """Focal loss on dense anchors."""


class FCOS(FCOSSteps, OneStage):
    """Every point inside a box predicts it."""


class SSD(SSDSteps, OneStage):
    """Default boxes on maps of falling resolution; SSDlite has lighter layers."""
