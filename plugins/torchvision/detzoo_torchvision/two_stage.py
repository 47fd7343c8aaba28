"""Faster R-CNN and the box half of Mask R-CNN and Keypoint R-CNN: proposals first, then a look at
each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import fastrcnn_loss
from torchvision.models.detection.rpn import concat_box_prediction_layers
from torchvision.ops.poolers import LevelMapper

from detzoo_torchvision import class_layers
from detzoo_torchvision.detector import TorchvisionDetector, whole, with_thresholds
from zoo import LabelSpace
from zoo.detectors import Batch, Target, Thresholds
from zoo.errors import ContractError


@dataclass(frozen=True)
class Regions:
    """What the second stage says of the proposals of all images, one after the other.

    proposals: (n, 4) an image, input pixels.
    logits:    (sum of n, channels).
    deltas:    (sum of n, 4 * channels), how each class would move the proposal.
    """

    proposals: tuple[Tensor, ...]
    logits: Tensor
    deltas: Tensor


@dataclass(frozen=True)
class TwoStageOutput:
    """The pyramid, and in eval mode the regions; in train mode which regions are looked at depends
    on the truth, so on `loss`."""

    features: dict[str, Tensor]
    regions: Regions | None


class TwoStage(TorchvisionDetector):
    """A torchvision R-CNN. Mask and keypoint layers are there, so that published weights fit, and
    are neither run nor trained.

    strides: input pixels a cell of each map that regions are cut from.
    """

    _class_layers = staticmethod(class_layers.regions)

    def __init__(self, net: Any, *, label_space: LabelSpace, strides: Sequence[int]) -> None:
        super().__init__(net, label_space=label_space, owner=net.roi_heads)
        # torchvision guesses these from the height of the first image a network sees; a very flat
        # one spoils all that follow.
        pool = self.net.roi_heads.box_roi_pool
        pool.scales = [1 / stride for stride in strides]
        finest, coarsest = strides[0].bit_length() - 1, strides[-1].bit_length() - 1  # log2
        pool.map_levels = LevelMapper(finest, coarsest, pool.canonical_scale, pool.canonical_level)
        self._freeze_what_is_not_run()

    def forward(self, batch: Batch) -> TwoStageOutput:
        """The pyramid of features; in eval mode proposals and what the second stage makes of them,
        in float32."""
        features = self.net.backbone(batch.pixels)
        if self.training:
            return TwoStageOutput(features, regions=None)
        images = self._images(batch)
        proposals, _ = self._propose(images, features)
        return TwoStageOutput(
            features, Regions(tuple(proposals), *self._look(features, proposals, images))
        )

    def loss(
        self, raw: TwoStageOutput, batch: Batch, targets: Sequence[Target]
    ) -> dict[str, Tensor]:
        """`loss_objectness` and `loss_rpn_box_reg` of the proposals, `loss_classifier` and
        `loss_box_reg` of the second stage.

        Anchors and proposals are sampled with torch's random generator (Faster R-CNN,
        arXiv:1506.01497, 3.1.2).
        """
        if raw.regions is not None or not self.training:
            raise _wrong_mode("loss", "train")
        images, truth = self._images(batch), self._truth(batch, targets)
        proposals, losses = self._propose(images, raw.features, truth)
        # Mask R-CNN's check wants the key to be there; only the mask branch, which is not run,
        # reads it.
        truth = [{**one, "masks": one["labels"]} for one in truth]
        proposals, _, channels, wanted = self.net.roi_heads.select_training_samples(
            proposals, truth
        )
        logits, deltas = self._look(raw.features, proposals, images)
        loss_classifier, loss_box_reg = fastrcnn_loss(logits, deltas, channels, wanted)
        return {**losses, "loss_classifier": loss_classifier, "loss_box_reg": loss_box_reg}

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

    def _propose(
        self,
        images: ImageList,
        features: dict[str, Tensor],
        truth: list[dict[str, Tensor]] | None = None,
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """torchvision's first stage; where the network's floats are short, boxes are in float32 all
        the same."""
        maps, rpn = list(features.values()), self.net.rpn
        if maps[0].dtype == torch.float32:
            found: tuple[list[Tensor], dict[str, Tensor]] = rpn(images, features, truth)
            return found
        objectness, deltas = rpn.head(maps)
        counts = [one[0].numel() for one in objectness]
        objectness, deltas = (
            one.float() for one in concat_box_prediction_layers(objectness, deltas)
        )
        anchors = rpn.anchor_generator(images, whole(maps))
        moved = rpn.box_coder.decode(deltas.detach(), anchors).view(len(anchors), -1, 4)
        proposals, _ = rpn.filter_proposals(moved, objectness, images.image_sizes, counts)
        if truth is None:
            return proposals, {}
        labels, boxes = rpn.assign_targets_to_anchors(anchors, truth)
        aims = rpn.box_coder.encode(boxes, anchors)
        loss_objectness, loss_rpn_box_reg = rpn.compute_loss(objectness, deltas, labels, aims)
        return proposals, {"loss_objectness": loss_objectness, "loss_rpn_box_reg": loss_rpn_box_reg}

    def _look(
        self, features: dict[str, Tensor], proposals: Sequence[Tensor], images: ImageList
    ) -> tuple[Tensor, Tensor]:
        """The second stage: logits and deltas of each proposal, in float32; regions are cut in it,
        too."""
        roi, kind = self.net.roi_heads, next(iter(features.values())).dtype
        whole_features = {name: one.float() for name, one in features.items()}
        cut = roi.box_roi_pool(
            whole_features, list(proposals), images.image_sizes
        )  # (sum of n, c, 7, 7)
        logits, deltas = roi.box_predictor(roi.box_head(cut.to(kind)))
        return logits.float(), deltas.float()

    def _found(
        self, raw: TwoStageOutput, images: ImageList, thresholds: Thresholds
    ) -> list[dict[str, Tensor]]:
        if raw.regions is None:
            raise _wrong_mode("decode", "eval")
        heads = with_thresholds(self.net.roi_heads, thresholds)
        regions = raw.regions
        found = heads.postprocess_detections(
            regions.logits, regions.deltas, list(regions.proposals), images.image_sizes
        )
        return [
            {"boxes": boxes, "scores": scores, "labels": labels}
            for boxes, scores, labels in zip(*found, strict=True)
        ]


def _wrong_mode(step: str, mode: str) -> ContractError:
    return ContractError(
        f"{step} was called on a two-stage detector.",
        f"Its raw output was not made in {mode} mode, and holds no regions that {step} could use.",
        f"Call model.{mode}() before model(batch).",
    )
