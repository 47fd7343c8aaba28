"""Faster R-CNN behind the feature maps: proposals first, then a look at each region.

Ren et al., arXiv:1506.01497, on a pyramid as in Lin et al., arXiv:1612.03144, section 4. Written
once; `two_stage` puts it behind torchvision's backbones, `parts.two_stage` behind any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import fastrcnn_loss
from torchvision.models.detection.rpn import concat_box_prediction_layers
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.poolers import LevelMapper

from detzoo_torchvision import class_layers
from detzoo_torchvision.steps import TorchvisionSteps, float32_maps, input_sizes
from zoo.contract import Batch, Target, is_exporting, pytree_dataclass
from zoo.errors import ContractError


@pytree_dataclass
class RegionSamples:
    """Targets of the sampled regions of a batch, and the losses of the first stage.

    channels: (n,) per image, 0 for background.
    deltas:   (n, 4) per image, how the region should move.
    losses:   `loss_objectness` and `loss_rpn_box_reg`.
    """

    channels: tuple[Tensor, ...]
    deltas: tuple[Tensor, ...]
    losses: dict[str, Tensor]


@pytree_dataclass
class RegionOutput:
    """The regions of all images, one image after the other, and what the second stage says of them.

    proposals: (n, 4) per image, input pixels.
    logits:    (sum of n, channels).
    deltas:    (sum of n, 4 * channels), how each class would move the region.
    samples:   in train mode with targets, where the regions are sampled and contain the true boxes;
               else None.
    """

    proposals: tuple[Tensor, ...]
    logits: Tensor
    deltas: Tensor
    samples: RegionSamples | None = None


class RegionSteps(TorchvisionSteps):
    """A region proposal network and a second stage that classifies and moves what it proposes."""

    training: bool
    _class_layers = staticmethod(class_layers.regions)

    def outputs_of(
        self, features: Mapping[str, Tensor], batch: Batch, targets: Sequence[Target] | None
    ) -> RegionOutput:
        """Both stages; boxes in float32, whatever the network's type.

        In train mode with targets, anchors and regions are sampled with torch's random generator
        (Faster R-CNN, section 3.1.3), in torchvision's order. Else all proposals are looked at.

        Raises: ContractError while it is exported.
        """
        if is_exporting():
            raise ContractError(
                "A two-stage detector can't be exported.",
                "Its shapes would be fixed, and how many regions there are depends on the image.",
                "Export a detector that looks once, such as yolox_s or retinanet_resnet50_fpn.",
            )
        images = ImageList(batch.pixels, input_sizes(batch))
        if targets is None or not self.training:
            proposals, _ = self._propose(images, list(features.values()))
            return RegionOutput(tuple(proposals), *self._classify(features, proposals, images))
        truth = self._truth(batch, targets)
        proposals, losses = self._propose(images, list(features.values()), truth)
        # Mask R-CNN's check wants the key to be there; only the mask branch, which is not run,
        # reads it.
        truth = [{**target, "masks": target["labels"]} for target in truth]
        proposals, _, channels, deltas = self.net.roi_heads.select_training_samples(
            proposals, truth
        )
        samples = RegionSamples(tuple(channels), tuple(deltas), losses)
        return RegionOutput(tuple(proposals), *self._classify(features, proposals, images), samples)

    def loss(
        self,
        outputs: RegionOutput,
        batch: Batch,  # noqa: ARG002 - the outputs hold the sampled truth
        targets: Sequence[Target],  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """`loss_objectness` and `loss_rpn_box_reg` of the proposals, `loss_classifier` and
        `loss_box_reg` of the second stage, against the targets that the outputs were made with.

        Raises: ContractError for outputs that were made without targets, or in eval mode.
        """
        samples = outputs.samples
        if samples is None:
            raise ContractError(
                "loss was called on a two-stage detector.",
                "Its outputs were made without targets or in eval mode, and no regions are sampled "
                "in them.",
                "In train mode, call outputs = model(batch, targets) before model.loss(outputs, "
                "batch, targets).",
            )
        loss_classifier, loss_box_reg = fastrcnn_loss(
            outputs.logits, outputs.deltas, list(samples.channels), list(samples.deltas)
        )
        return {**samples.losses, "loss_classifier": loss_classifier, "loss_box_reg": loss_box_reg}

    @staticmethod
    def _owner(net: Any) -> Any:
        return net.roi_heads

    def _propose(
        self, images: ImageList, maps: list[Tensor], truth: list[dict[str, Tensor]] | None = None
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """torchvision's first stage: the best boxes of each image, `(n, 4)` in input pixels, and
        the losses if there is a truth."""
        rpn = self.net.rpn
        objectness, deltas = rpn.head(maps)
        counts = [level[0].numel() for level in objectness]
        objectness, deltas = concat_box_prediction_layers(objectness, deltas)
        objectness, deltas = objectness.float(), deltas.float()
        anchors = rpn.anchor_generator(images, float32_maps(maps))
        moved = rpn.box_coder.decode(deltas.detach(), anchors).view(len(anchors), -1, 4)
        proposals, _ = rpn.filter_proposals(moved, objectness, images.image_sizes, counts)
        if truth is None:
            return proposals, {}
        labels, boxes = rpn.assign_targets_to_anchors(anchors, truth)
        regression = rpn.box_coder.encode(boxes, anchors)
        loss_objectness, loss_rpn_box_reg = rpn.compute_loss(objectness, deltas, labels, regression)
        return proposals, {"loss_objectness": loss_objectness, "loss_rpn_box_reg": loss_rpn_box_reg}

    def _classify(
        self, features: Mapping[str, Tensor], proposals: Sequence[Tensor], images: ImageList
    ) -> tuple[Tensor, Tensor]:
        """The second stage: logits and deltas of each region, in float32; regions are cut in it,
        too."""
        roi, dtype = self.net.roi_heads, next(iter(features.values())).dtype
        in_float32 = {name: level.float() for name, level in features.items()}
        cut = roi.box_roi_pool(in_float32, list(proposals), images.image_sizes)
        logits, deltas = roi.box_predictor(roi.box_head(cut.to(dtype)))  # of (sum of n, c, 7, 7)
        return logits.float(), deltas.float()

    def _postprocess(
        self, owner: Any, outputs: RegionOutput, sizes: list[tuple[int, int]]
    ) -> list[dict[str, Tensor]]:
        if outputs.samples is not None:
            raise ContractError(
                "decode was called on a two-stage detector.",
                "Its outputs were made in train mode with targets, and the true boxes are among "
                "their regions.",
                "Call model(batch) without targets, or model.eval() before it.",
            )
        columns = owner.postprocess_detections(
            outputs.logits, outputs.deltas, list(outputs.proposals), sizes
        )
        return [
            {"boxes": boxes, "scores": scores, "labels": labels}
            for boxes, scores, labels in zip(*columns, strict=True)
        ]


def set_strides(pool: MultiScaleRoIAlign, strides: Sequence[int]) -> MultiScaleRoIAlign:
    """The pool, cutting regions out of maps at these strides.

    torchvision guesses them from the height of the first image that a network sees; a very flat one
    spoils all that follow.
    """
    pool.scales = [1 / stride for stride in strides]
    finest, coarsest = strides[0].bit_length() - 1, strides[-1].bit_length() - 1  # log2
    pool.map_levels = LevelMapper(finest, coarsest, pool.canonical_scale, pool.canonical_level)
    return pool
