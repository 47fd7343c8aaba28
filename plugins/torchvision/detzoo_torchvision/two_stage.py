"""Faster R-CNN and the box half of Mask R-CNN and Keypoint R-CNN as whole detectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from detzoo_torchvision.detector import TorchvisionDetector
from detzoo_torchvision.regions import RegionOutput, RegionSteps, set_strides
from zoo import LabelSpace
from zoo.contract import Batch, Target


class TwoStage(RegionSteps, TorchvisionDetector):
    """A torchvision R-CNN. Mask and keypoint layers are there, so that published weights fit, and
    are neither run nor trained.

    strides: input pixels a cell of each map that regions are cut from.
    """

    def __init__(self, net: Any, *, label_space: LabelSpace, strides: Sequence[int]) -> None:
        super().__init__(net, label_space=label_space)
        set_strides(self.net.roi_heads.box_roi_pool, strides)
        self._freeze_what_is_not_run()

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> RegionOutput:
        """Both stages; in train mode with targets, of regions that are sampled to learn from."""
        return self.outputs_of(self.net.backbone(batch.pixels), batch, targets)

    def _freeze_what_is_not_run(self) -> None:
        """No gradient would ever reach these: a weight decay would shrink them, and
        DistributedDataParallel refuses them."""
        roi = self.net.roi_heads
        for branch in (
            roi.mask_head,
            roi.mask_predictor,
            roi.keypoint_head,
            roi.keypoint_predictor,
        ):
            if branch is not None:
                branch.requires_grad_(False)
