"""Base of torchvision's whole detectors: preprocessing, and names of tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torchvision.models.detection.transform import resize_boxes

from detzoo_torchvision.checkpoints import rename_tensors
from detzoo_torchvision.norms import set_frozen_eps
from detzoo_torchvision.preprocess import TorchvisionPreprocess
from detzoo_torchvision.steps import TorchvisionSteps, input_size, thresholds_of
from zoo import Detector, LabelSpace
from zoo.contract import InputTransform
from zoo.errors import ContractError


class TorchvisionDetector(TorchvisionSteps, Detector):
    """A torchvision detection network, `net`, whose fused forward is taken apart into the zoo's
    steps.

    The arithmetic is torchvision's own, in its own order: outputs and losses are bit-equal to
    calling `net`. Nothing of `net` changes in a call, so threads may share a detector.
    """

    def __init__(self, net: Any, *, label_space: LabelSpace) -> None:  # torchvision has no types
        super().__init__(
            label_space=label_space,
            defaults=thresholds_of(self._owner(net)),
            preprocess=TorchvisionPreprocess.of(net.transform),
        )
        del net.transform
        self.net = net

    @property
    def channels(self) -> tuple[int, ...]:
        """The label of each class channel, -1 for background and unused ones."""
        return self.label_space.channels

    def from_checkpoint(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """torchvision's names, of any version, or this module's own."""
        return rename_tensors(state, frozenset(self.state_dict()))

    def post_load(self, settings: Mapping[str, Any]) -> None:
        """Sets `frozen_bn_eps`; a network without frozen norms refuses it."""
        others = {name: value for name, value in settings.items() if name != "frozen_bn_eps"}
        super().post_load(others)
        if "frozen_bn_eps" not in settings:
            return
        eps = settings["frozen_bn_eps"]
        if isinstance(eps, bool) or not isinstance(eps, int | float) or not 0 <= eps < math.inf:
            raise ContractError(
                f"A card asks for frozen_bn_eps: {eps!r:.60} after loading.",
                "That is not a number of at least 0.",
                "Write for example post_load: {frozen_bn_eps: 0.0}.",
            )
        if not set_frozen_eps(self.net, float(eps)):
            super().post_load(settings)

    def _to_original(self, boxes: Tensor, transform: InputTransform) -> Tensor:
        """As torchvision resizes boxes, to the bit."""
        resized: Tensor = resize_boxes(
            boxes, input_size(transform), (transform.height, transform.width)
        )
        return resized
