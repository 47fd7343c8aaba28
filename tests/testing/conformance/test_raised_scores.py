"""A network that believes much: its last layers are moved to where scores are high."""

import pytest
import torch
from torch import nn

from zoo.contract import Protocol
from zoo.labels import LabelSpace
from zoo.testing import NotApplicable, Toy
from zoo.testing.conformance.images import Pass, scene
from zoo.testing.conformance.raised_scores import CONFIDENT, Rise, raised_pass

SPACE = LabelSpace.custom(["red", "green"])
IMAGES = [scene(), scene(seed=1)]


def test_outputs_get_the_mean_and_spread_that_were_asked_for() -> None:
    moved = Rise(mean=3, spread=2).of(torch.randn(4, 5))
    assert moved.mean().item() == pytest.approx(3, abs=1e-5)
    assert moved.std(correction=0).item() == pytest.approx(2, abs=1e-5)
    assert Rise(mean=3, spread=2).of(torch.full((3,), 7.0)).tolist() == [3, 3, 3]


def test_a_raised_detector_sees_much_and_is_itself_again() -> None:
    torch.manual_seed(0)
    detector = Toy(SPACE).eval()
    before = Pass.at(detector, IMAGES)
    raised = raised_pass(detector, IMAGES, CONFIDENT)
    protocol = Protocol(score=0.9, iou=1.0)
    assert sum(map(len, raised.decoded(protocol))) > sum(map(len, before.decoded(protocol)))
    after = Pass.at(detector, IMAGES)
    assert torch.equal(after.outputs, before.outputs)  # type: ignore[arg-type]
    assert not detector.training


def test_a_network_without_layers_is_not_applicable() -> None:
    class Bare(Toy):
        def __init__(self, label_space: LabelSpace) -> None:
            super().__init__(label_space)
            self.says = nn.Parameter(torch.zeros(1, 6, 4, 4))

        def forward(self, batch, targets=None):  # noqa: ARG002 - it needs none
            return self.says.expand(len(batch), -1, -1, -1)

    with pytest.raises(NotApplicable, match="No layer of it leads"):
        raised_pass(Bare(SPACE), IMAGES, CONFIDENT)
