"""YOLOX: an anchor-free detector with a decoupled head (Ge et al., arXiv:2107.08430)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from torch import Tensor, nn

from detzoo_yolox.backbone import CSPDarknet
from detzoo_yolox.checkpoint import translate
from detzoo_yolox.darknet import Darknet53
from detzoo_yolox.head import DecoupledHead
from detzoo_yolox.letterbox import STRIDE, Letterbox
from detzoo_yolox.neck import PAFPN, YOLOFPN
from detzoo_yolox.outputs import YoloxOutput
from zoo.contract import ClassLayer
from zoo.detections import Detections
from zoo.detectors import Batch, Detector, Target, Thresholds
from zoo.errors import CardError
from zoo.labels import LabelSpace


class YOLOX(Detector):
    """Backbone, neck and head, and a letterbox of `size` x `size` pixels in front."""

    def __init__(
        self,
        *,
        label_space: LabelSpace,
        backbone: nn.Module,
        neck: nn.Module,
        head: DecoupledHead,
        size: int,
    ) -> None:
        super().__init__(
            label_space=label_space, defaults=head.defaults, preprocess=Letterbox((size, size))
        )
        self.backbone = backbone
        self.neck = neck
        self.head = head

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> YoloxOutput:  # noqa: ARG002 - the network needs none
        """The values of every cell: logits in train mode, probabilities in eval mode."""
        return self.head(self.neck(self.backbone(batch.pixels)))  # type: ignore[no-any-return]

    def decode(
        self, outputs: YoloxOutput, batch: Batch, thresholds: Thresholds
    ) -> list[Detections]:
        """The cells whose best class scores enough, overlaps within a class removed."""
        return self.head.decode(outputs, batch, thresholds)

    def loss(
        self, outputs: YoloxOutput, batch: Batch, targets: Sequence[Target]
    ) -> dict[str, Tensor]:
        """`iou`, `objectness` and `classification` (and `l1` where the head's is switched on),
        weighted as published.

        Raises:
            ContractError: `outputs` was made in eval mode.
            LabelError: a label is not in the model's label space.
        """
        return self.head.loss(outputs, batch, targets)

    def class_layers(self) -> list[ClassLayer]:
        """The head's."""
        return [layer.within("head") for layer in self.head.class_layers()]

    def from_checkpoint(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Upstream's layout or this one, batch norms folded or not."""
        return translate(state)


def build(
    *,
    label_space: LabelSpace,
    depth: float = 1.0,
    width: float = 1.0,
    depthwise: bool = False,
    backbone: Literal["cspdarknet", "darknet53"] = "cspdarknet",
    size: int = 640,
) -> YOLOX:
    """A YOLOX of any size.

    depth, width: factors on the blocks and channels of YOLOX-L; nano is 0.33 and 0.25. Darknet-53
        has one size.
    depthwise:    3x3 convolutions split into depthwise and pointwise, as in nano.
    size:         height and width of the input in pixels, a multiple of 32.

    Raises:
        CardError: an argument is outside its range.
    """
    _check_size(size)
    if backbone == "cspdarknet":
        body = CSPDarknet(depth=depth, width=width, depthwise=depthwise)
        neck = PAFPN(levels=body.levels, depth=depth, depthwise=depthwise)
        head = DecoupledHead(
            levels=neck.levels,
            label_space=label_space,
            channels=int(256 * width),
            depthwise=depthwise,
        )
        return YOLOX(label_space=label_space, backbone=body, neck=neck, head=head, size=size)
    if backbone != "darknet53":
        raise _wrong(
            f"backbone={backbone!r}",
            "No backbone of it has that name.",
            "Use backbone: cspdarknet or backbone: darknet53.",
        )
    if (depth, width, depthwise) != (1.0, 1.0, False):
        raise _wrong(
            "another size of darknet53",
            "Darknet-53 has one size.",
            "Leave out depth, width and depthwise.",
        )
    return _darknet53(label_space, size)


def _darknet53(label_space: LabelSpace, size: int) -> YOLOX:
    darknet = Darknet53()
    pyramid = YOLOFPN(levels=darknet.levels)
    dense = DecoupledHead(levels=pyramid.levels, label_space=label_space, activation="leaky_relu")
    return YOLOX(label_space=label_space, backbone=darknet, neck=pyramid, head=dense, size=size)


def _check_size(size: int) -> None:
    if size < STRIDE or size % STRIDE:
        down = max(size // STRIDE, 1) * STRIDE
        raise _wrong(
            f"size={size}",
            f"The input is a multiple of {STRIDE} pixels.",
            f"Use size: {down} or size: {down + STRIDE}.",
        )


def _wrong(argument: str, case: str, fix: str) -> CardError:
    return CardError(f"The architecture yolox was built with {argument}.", case, fix)
