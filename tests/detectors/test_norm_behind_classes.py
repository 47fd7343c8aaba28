"""A head that ends with a norm behind its convolution keeps what both know of each class."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zoo import LabelSpace
from zoo.contract import ClassLayer
from zoo.detectors.head_transfer import transfer_head
from zoo.errors import ContractError
from zoo.testing import Model, Toy, run

OLD = LabelSpace.custom(["ant", "bee", "cat"])
NEW = LabelSpace.custom(["cat", "dog", "ant", "elk"])
CHECKS = ("class_rows_are_its_own", "classes_carried_over", "loss_teaches_the_named_class")


class Normed(Toy):
    """Its classes end in a convolution without a bias and a batch norm."""

    named = ("kind.0", "kind.1")

    def __init__(self, label_space: LabelSpace) -> None:
        super().__init__(label_space)
        self.kind = nn.Sequential(
            nn.Conv2d(3, len(label_space), 1, bias=False), nn.BatchNorm2d(len(label_space))
        )

    def class_layers(self) -> list[ClassLayer]:
        return [ClassLayer(name, channels=self.label_space.channels) for name in self.named]


class Grouped(Normed):
    """The same with a group norm, which has seen nothing."""

    def __init__(self, label_space: LabelSpace) -> None:
        super().__init__(label_space)
        self.kind[1] = nn.GroupNorm(1, len(label_space))


class HalfNamed(Normed):
    named = ("kind.0",)


def other(kind: type[Toy], source: Toy) -> Toy:
    with torch.device("meta"):
        detector = kind(NEW)
    transfer_head(detector, source.state_dict(), old=OLD, make=kind, failure="")
    return detector


def test_weight_bias_and_what_a_norm_has_seen_go_with_their_class() -> None:
    torch.manual_seed(0)
    source = Normed(OLD)
    for tensor in (
        *source.kind[1].parameters(),
        source.kind[1].running_mean,
        source.kind[1].running_var,
    ):
        nn.init.uniform_(tensor, 1, 2)
    state = other(Normed, source).state_dict()
    for name in (
        "kind.0.weight",
        "kind.1.weight",
        "kind.1.bias",
        "kind.1.running_mean",
        "kind.1.running_var",
    ):
        before = source.state_dict()[name]
        assert torch.equal(state[name][[0, 2]], before[[2, 0]]), name
    assert state["kind.1.running_mean"][[1, 3]].tolist() == [0, 0]
    assert state["kind.1.running_var"][[1, 3]].tolist() == [1, 1]
    assert state["kind.1.weight"][[1, 3]].tolist() == [1, 1]
    assert torch.equal(state["kind.1.num_batches_tracked"], source.kind[1].num_batches_tracked)


@pytest.mark.parametrize("kind", [Normed, Grouped])
def test_the_kit_checks_such_a_head(kind: type[Toy]) -> None:
    assert [
        (one.check, one.status, one.reason) for one in run(Model("normed", kind, OLD), only=CHECKS)
    ] == [
        (name, "passed", "")
        for name in (
            "loss_teaches_the_named_class",
            "classes_carried_over",
            "class_rows_are_its_own",
        )
    ]


def test_a_norm_that_is_not_named_is() -> None:
    with pytest.raises(
        ContractError, match=r"'kind.1.weight' depends on the number of classes"
    ) as error:
        other(HalfNamed, HalfNamed(OLD))
    assert (
        error.value.fix
        == 'In its plugin, let class_layers name it too: ClassLayer("kind.1", channels=…).'
    )


def test_rows_without_any_bias_can_not_be_silenced() -> None:
    [outcome] = run(Model("half", HalfNamed, OLD), only=["class_rows_are_its_own"])
    assert outcome.status == "skipped"
    assert (
        outcome.reason
        == "Neither 'kind.0', with rows for classes, nor the layer declared behind it has a bias."
    )
