"""A composition is written as a card would hold it, and as it is typed in Python and in a shell."""

from dataclasses import replace

from zoo.detectors.composition import Composition

PLAN = Composition(
    backbone="torchvision/resnet18", head="retinanet", neck="fpn", neck_arguments={"channels": 64}
)


def test_its_parts_are_named_backbone_first_without_a_neck_that_is_none() -> None:
    assert list(PLAN.names()) == ["backbone", "neck", "head"]
    assert list(replace(PLAN, neck=None).names()) == ["backbone", "head"]


def test_a_card_holds_only_what_differs_from_the_default() -> None:
    assert PLAN.settings() == {
        "backbone": "torchvision/resnet18",
        "neck": "fpn",
        "head": "retinanet",
        "neck_arguments": {"channels": 64},
    }
    assert replace(PLAN, strides=(16, 32)).settings()["strides"] == [16, 32]


def test_changes_are_what_one_types_in_python() -> None:
    other = replace(PLAN, strides=(16,), neck_arguments={"channels": 256})
    assert PLAN.changes(other) == 'strides=(16,), neck_arguments={"channels": 256}'
    assert PLAN.changes(PLAN) == ""


def test_changes_are_what_one_types_in_a_shell() -> None:
    other = replace(PLAN, neck=None, strides=(16, 32), head_arguments={"hidden": 64})
    assert PLAN.changes_cli(other) == "without --neck --strides 16,32 --set head.hidden=64"
