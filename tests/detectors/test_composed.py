"""A composed detector can be described and copied, and checks what its parts return."""

from __future__ import annotations

import copy
import pickle
from textwrap import dedent

import pytest
import torch

from tests.detectors.composing import helmets
from zoo.detectors import Batch, describe
from zoo.detectors.composed import card_of_composed
from zoo.errors import ContractError
from zoo.labels import LabelSpace


def test_the_pipeline_is_drawn_with_channels_and_strides() -> None:
    assert (
        describe(helmets())
        == dedent("""\
                  stride                             8    16    32    64   128
        input     64 x 96 letterbox
        backbone  torchvision/mobilenet_v3_small    24    48   576     ·     ·  0.93M parameters
        neck      bifpn                             32    32    32    32    32  0.05M parameters
        head      retinanet                                                     0.09M parameters, 2 classes: helmet, vest""")
    )


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))],
    ids=["deepcopy", "pickle"],
)
def test_it_can_be_copied(copied: object) -> None:
    detector = helmets()
    image = torch.randint(0, 256, (3, 40, 50), dtype=torch.uint8)
    other = copied(detector)  # type: ignore[operator]
    assert torch.equal(
        other.detect(image, score=0.0).boxes, detector.detect(image, score=0.0).boxes
    )


def test_a_part_that_returns_other_maps_than_it_declared_is_found_at_its_first_image() -> None:
    detector = helmets()
    detector.backbone = torch.nn.Identity()  # type: ignore[assignment]
    detector.backbone.levels = helmets().backbone.levels
    with pytest.raises(ContractError, match="defect of the backbone's plugin"):
        detector(Batch(torch.zeros(1, 3, 64, 64), ()))


def test_its_card_names_no_label_space_that_it_does_not_have() -> None:
    detector = helmets()
    detector.label_space = LabelSpace("coco80", ("helmet", "vest"))
    assert card_of_composed(detector).labels == ["helmet", "vest"]
