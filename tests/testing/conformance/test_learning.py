"""The loss teaches what `decode` reads, however a network writes its outputs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import zoo
from zoo.contract import ClassLayer, Thresholds, pytree_dataclass
from zoo.detections import Detections
from zoo.detectors import Batch, Target
from zoo.labels import LabelSpace
from zoo.testing import Model, NotApplicable, Toy
from zoo.testing.conformance.checks import (
    check_loss_leads_to_the_truth,
    check_loss_teaches_the_named_class,
    check_one_class,
    learning,
)
from zoo.testing.conformance.errors import ConformanceError
from zoo.testing.conformance.free_outputs import free_outputs
from zoo.testing.conformance.images import no_objects, scene
from zoo.testing.conformance.train_mode import train_mode

SPACE = LabelSpace.custom(["red", "green", "blue"])


def lively(kind: Callable[[LabelSpace], Toy]) -> Toy:
    return Model("toy", kind, SPACE).detector  # type: ignore[return-value]


@pytree_dataclass
class Said:
    """Outputs of its own."""

    maps: dict[str, tuple[Tensor, Tensor]]
    cell: int = 8


class Wrapped(Toy):
    """Its outputs are a dataclass of a dict of a pair."""

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Any:
        outputs = super().forward(batch, targets)
        return Said({"all": (outputs[:, :4], outputs[:, 4:])})

    def decode(self, outputs: Any, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        return super().decode(torch.cat(outputs.maps["all"], 1), batch, thresholds)

    def loss(self, outputs: Any, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        return super().loss(torch.cat(outputs.maps["all"], 1), batch, targets)


class Probable(Toy):
    """Its outputs are of probabilities, which can't be moved out of 0..1."""

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Tensor:
        return super().forward(batch, targets).sigmoid()

    def decode(self, outputs: Tensor, batch: Batch, thresholds: Thresholds) -> list[Detections]:
        assert bool(((outputs >= 0) & (outputs <= 1)).all())
        return super().decode(outputs.logit(eps=1e-6), batch, thresholds)

    def loss(self, outputs: Tensor, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        assert bool(((outputs >= 0) & (outputs <= 1)).all())
        return super().loss(outputs.logit(eps=1e-6), batch, targets)


class Rectified(Toy):
    """Sizes below 0 are cut off, and a gradient with them."""

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Tensor:
        outputs = super().forward(batch, targets)
        return torch.cat([outputs[:, :4].relu().sub(4), outputs[:, 4:]], 1)


class Overwriting(Toy):
    """Writes on what its last layer said."""

    def __init__(self, label_space: LabelSpace) -> None:
        super().__init__(label_space)
        self.kind = nn.Sequential(self.kind, nn.ReLU6(inplace=True))

    def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Tensor:
        return super().forward(batch, targets) - 0.5

    def class_layers(self) -> list[ClassLayer]:
        return [ClassLayer("kind.0", channels=self.label_space.channels)]


@pytest.mark.parametrize("kind", [Toy, Wrapped, Probable, Rectified, Overwriting])
def test_whatever_the_raw_output_is_made_of_it_can_follow_the_loss(kind: type[Toy]) -> None:
    check_loss_leads_to_the_truth(lively(kind))


def changing(change: Callable[[Batch, list[Target]], tuple[Batch, list[Target]]]) -> type[Toy]:
    class Changed(Toy):
        def loss(
            self, outputs: Tensor, batch: Batch, targets: Sequence[Target]
        ) -> dict[str, Tensor]:
            return super().loss(outputs, *change(batch, list(targets)))

    return Changed


def edges(one: Target, columns: list[int]) -> Target:
    corners = one.boxes[:, columns]
    return Target(
        torch.cat(
            [corners[:, :2].minimum(corners[:, 2:]), corners[:, :2].maximum(corners[:, 2:])], 1
        ),
        one.labels,
    )


def unplaced(batch: Batch) -> Batch:
    return replace(
        batch, transforms=tuple(replace(one, scale_x=1.0, scale_y=1.0) for one in batch.transforms)
    )


FIRST_ONLY = changing(
    lambda batch, targets: (batch, [Target(one.boxes[:1], one.labels[:1]) for one in targets])
)
TURNED = changing(lambda batch, targets: (batch, [edges(one, [1, 0, 3, 2]) for one in targets]))
IN_ORIGINAL = changing(lambda batch, targets: (unplaced(batch), targets))
ONE_PICTURE = changing(lambda batch, targets: (batch, [targets[0]] * len(targets)))
NEXT_CLASS = changing(
    lambda batch, targets: (batch, [Target(one.boxes, (one.labels + 1) % 3) for one in targets])
)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (FIRST_ONLY, "'blue' at .* in image 1 is detected as 'red' at"),
        (TURNED, r"in image 1 is detected as .*'red' at \[5.0, 6.0, 37.0, 30.0\]"),
        (IN_ORIGINAL, "in image 1 is detected as 'red' at"),
        (ONE_PICTURE, "in image 2 is detected as"),
        (NEXT_CLASS, "'red' at .* is detected as '(green|red)' at"),
    ],
    ids=[
        "first object only",
        "x and y exchanged",
        "original pixels",
        "first image's truth for all",
        "next class",
    ],
)
def test_a_loss_of_something_else_than_is_decoded_is_found(
    kind: type[Toy], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        learning, "TRIES", learning.TRIES[:1]
    )  # the others are for heads that settle slowly
    with pytest.raises(ConformanceError, match=said):
        check_loss_leads_to_the_truth(lively(kind))


def test_a_decode_that_adds_a_pixel_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "TRIES", learning.TRIES[:1])

    class Inclusive(Toy):
        def one(self, boxes: Tensor, *rest: Any) -> Detections:
            return super().one(boxes + torch.tensor([0.0, 0.0, 1.0, 1.0]), *rest)

    with pytest.raises(ConformanceError, match="is detected as"):
        check_loss_leads_to_the_truth(lively(Inclusive))


def test_a_loss_of_the_wrong_sign_is_found_in_the_rows_of_a_class() -> None:
    class Negated(Toy):
        def loss(
            self, outputs: Tensor, batch: Batch, targets: Sequence[Target]
        ) -> dict[str, Tensor]:
            return {name: -loss for name, loss in super().loss(outputs, batch, targets).items()}

    with pytest.raises(ConformanceError, match="The loss raises the rows of 'red' by"):
        check_loss_teaches_the_named_class(lively(Negated))


def test_without_declared_rows_or_with_one_class_there_is_none_to_teach() -> None:
    class Silent(Toy):
        def class_layers(self) -> Any:
            return None

    with pytest.raises(NotApplicable, match="does not say where its classes are"):
        check_loss_teaches_the_named_class(lively(Silent))
    with pytest.raises(NotApplicable, match="one class"):
        check_loss_teaches_the_named_class(Toy(LabelSpace.custom(["red"])))


def test_outputs_without_layers_have_nothing_that_could_follow() -> None:
    class Opaque(Toy):
        def forward(self, batch: Batch, targets: Sequence[Target] | None = None) -> Any:
            return {frozenset([super().forward(batch, targets)]): None}

        def decode(self, outputs: Any, batch: Batch, thresholds: Thresholds) -> list[Detections]:
            return super().decode(*[tensor for key in outputs for tensor in key], batch, thresholds)

    with pytest.raises(NotApplicable, match="No layer of it leads to a tensor"):
        check_loss_leads_to_the_truth(lively(Opaque))


def test_only_the_last_layers_are_free_and_all_is_as_before_afterwards() -> None:
    toy = Toy(SPACE)
    with train_mode(toy):
        batch = toy.preprocess([scene()])
        with free_outputs(toy, batch, [no_objects()]) as leaves:
            assert [tuple(leaf.shape[1:]) for leaf in leaves] in (
                [(3, 4, 4), (4, 4, 4)],
                [(4, 4, 4), (3, 4, 4)],
            )
            said = toy(batch)
            assert torch.equal(toy(batch), said)  # dropout and all
            assert not any(parameter.requires_grad for parameter in toy.parameters())
            leaves[0].data += 1
            assert not torch.equal(toy(batch), said)
        assert all(parameter.requires_grad for parameter in toy.parameters())
        assert not any("forward" in vars(module) for module in toy.modules())


def test_a_softmax_over_one_class_is_found() -> None:
    class Certain(Toy):
        def decode(self, outputs: Tensor, batch: Batch, thresholds: Thresholds) -> list[Detections]:
            return super().decode(
                torch.cat([outputs[:, :4], outputs[:, 4:].softmax(1).logit(eps=1e-9)], 1),
                batch,
                thresholds,
            )

    with pytest.raises(ConformanceError, match="it is certain of everything"):
        check_one_class(Model("toy", Certain, SPACE))


def test_layers_of_a_second_stage_are_not_free() -> None:
    detector = zoo.compose(
        backbone="timm/test_resnet",
        neck="fpn",
        head="fasterrcnn",
        labels=["a", "b"],
        input={"resize": "fixed", "size": [64, 64]},
        neck_arguments={"channels": 64, "coarser": 0},
        head_arguments={"hidden": 64},
    )
    with train_mode(detector):
        batch, targets = detector.preprocess([scene(), scene(seed=1)]), [no_objects()] * 2
        with free_outputs(detector, batch, targets) as leaves:
            maps = {leaf.shape[1] for leaf in leaves}
            assert {len(leaf) for leaf in leaves} == {2}
            assert maps == {3, 12, 64}  # objectness and deltas of 3 anchors, and the pyramid
            assert "forward" not in vars(detector.head.net.roi_heads.box_predictor.cls_score)
            detector.loss(detector(batch, targets), batch, targets)
