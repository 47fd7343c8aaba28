"""Parts are found by name, and built with the arguments that they take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

import zoo
from tests.detectors.composing import refused
from zoo import registry
from zoo.errors import NameAmbiguous, NameNotFound, UsageError


@pytest.fixture
def also(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Makes the yolox plugin register other parts of one kind than its own."""

    def register_these(kind: str, **parts: object) -> None:
        @zoo.hookimpl(specname=f"register_{kind}")
        def hook(register: Callable[[str, object], None]) -> None:
            for name, build in parts.items():
                register(name, build)

        monkeypatch.setattr(f"detzoo_yolox.register_{kind}", hook)
        registry.reload()

    yield register_these
    monkeypatch.undo()
    registry.reload()


def test_an_unknown_part_has_no_pipeline_but_near_names() -> None:
    with pytest.raises(NameNotFound, match="Did you mean 'torchvision/fcos'"):
        zoo.compose(backbone="torchvision/resnet18", neck="fpn", head="fcoss", labels=["a"])


@pytest.mark.parametrize("argument", ["chanels", "levels"])
def test_an_argument_a_part_does_not_take_is_refused_with_those_it_takes(argument: str) -> None:
    with pytest.raises(
        NameNotFound,
        match=(
            rf"The neck 'fpn' was given the argument '{argument}'\.\n.*\nIt takes channels, "
            rf"coarser\."
        ),
    ):
        zoo.compose(
            backbone="torchvision/resnet18",
            neck="fpn",
            head="ssd",
            labels=["a"],
            neck_arguments={argument: 3},
        )


@pytest.mark.parametrize(
    ("head", "argument", "value", "said"),
    [
        ("yolox", "activation", "relu", "It is 'silu' or 'leaky_relu'."),
        ("yolox", "depthwise", "no", "Expected true or false, got text: 'no'."),
        ("retinanet", "scale", "4", "Expected a number, got text: '4'."),
        ("retinanet", "scale", 0, "Expected a number > 0.0: 0."),
        ("retinanet", "ratios", (), "Expected a list of length >= 1: ()."),
        ("fasterrcnn", "sampled", 0, "Expected a whole number >= 1: 0."),
        ("ssd", "smallest", 2, "Expected a number <= 1.0: 2."),
    ],
)
def test_a_value_of_another_type_or_range_than_the_part_says_is_refused(
    head: str, argument: str, value: object, said: str
) -> None:
    options: Any = {"head": head, "head_arguments": {argument: value}}
    why = refused(backbone="torchvision/resnet18", neck="fpn", **options)
    assert isinstance(why, UsageError)
    assert why.failure == f"The head '{head}' was given {argument}={value!r}."
    assert why.case == said
    assert argument in why.fix


def test_a_backbone_of_grey_images_is_refused_and_arguments_are_a_mapping() -> None:
    why = refused(backbone="timm/test_resnet", head="ssd", backbone_arguments={"in_chans": 1})
    assert isinstance(why, UsageError)
    assert why.fix == "Leave in_chans out."
    why = refused(backbone="timm/test_resnet", head="ssd", backbone_arguments=["in_chans"])
    assert why.case == "It is not a mapping of names to values."


def test_a_name_that_two_plugins_have_lists_both(also: Callable[..., None]) -> None:
    also("necks", fpn="detzoo_yolox.neck:YOLOFPN")
    with pytest.raises(NameAmbiguous, match=r"'torchvision/fpn' or 'yolox/fpn'"):
        zoo.compose(backbone="torchvision/resnet18", neck="fpn", head="ssd", labels=["a"])


def test_a_part_that_fails_in_its_own_words_is_a_seam_too(also: Callable[..., None]) -> None:
    def build(*, levels: object) -> torch.nn.Module:
        raise ValueError(f"I want six maps, not {len(levels)}")  # type: ignore[arg-type]

    also("necks", picky=build)
    why = refused(backbone="torchvision/resnet18", neck="picky", head="retinanet")
    assert "✗  picky: it failed with ValueError: I want six maps, not 3" in why.case
    assert why.fix == 'The nearest change that fits: neck="bifpn" or neck="fpn"'


def test_a_head_that_can_not_decode_is_named_with_what_it_lacks(also: Callable[..., None]) -> None:
    also("heads", mute=lambda *, levels, label_space: torch.nn.Identity())
    why = refused(backbone="torchvision/resnet18", head="mute")
    assert why.case == "Its plugin returned an Identity, which has no `defaults`."


def test_an_argument_a_part_can_not_do_without_is_asked_for(also: Callable[..., None]) -> None:
    def build(*, levels: object, width: int, depth: int = 1) -> torch.nn.Module:
        return torch.nn.Identity()

    also("necks", needy=build)
    with pytest.raises(UsageError, match=r"needs the argument 'width'\.\nIt takes width, depth\."):
        zoo.compose(backbone="torchvision/resnet18", neck="needy", head="ssd", labels=["a"])
