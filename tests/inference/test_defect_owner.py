"""A defect is reported to whose code it is."""

from __future__ import annotations

from types import MethodType

import pytest
import timm
import torch

import zoo
from zoo.errors import ContractError
from zoo.inference.defect_owner import defect_owner


def test_the_owner_of_a_defect_is_its_distribution() -> None:
    theirs = type("Theirs", (), {"__module__": "timm.models"})
    assert f"package 'timm' (timm {timm.__version__})" in defect_owner(theirs())


def test_a_defect_of_ones_own_program_is_corrected_there() -> None:
    own = type("Bright", (), {"__module__": "__main__"})
    assert defect_owner(own()) == "Correct `Bright`, which your own program defines."


@pytest.mark.parametrize(
    ("part", "package"),
    [("backbone", "detzoo_timm"), ("neck", "detzoo_yolox"), ("head", "detzoo_torchvision")],
)
def test_an_error_is_the_fault_of_the_part_that_raised_it(part: str, package: str) -> None:
    detector = zoo.compose(
        backbone="timm/test_resnet",
        neck="pafpn",
        head="retinanet",
        labels=["a"],
        neck_arguments={"channels": 64},
    )

    def fail(*_: object) -> None:
        raise RuntimeError("no")

    module = getattr(detector, part)
    module.forward = MethodType(fail, module)
    with pytest.raises(ContractError, match=f"This is a defect of the package '{package}'"):
        detector.detect(torch.zeros(3, 40, 50, dtype=torch.uint8))
