"""The last layers of a detector, free to say what a loss asks for."""

import torch

from zoo.labels import LabelSpace
from zoo.testing import Toy
from zoo.testing.conformance.free_outputs import free_outputs, tensors
from zoo.testing.conformance.images import no_objects, one_target, preprocess, scene
from zoo.testing.conformance.train_mode import train_mode


def toy() -> Toy:
    torch.manual_seed(0)
    return Toy(LabelSpace.custom(["red", "green"]))


def test_the_leaves_are_the_outputs_of_the_last_layers_and_decide_all() -> None:
    detector, images = toy(), [scene(), scene(seed=1)]
    with train_mode(detector):
        batch = preprocess(detector, images)
        with free_outputs(detector, batch, [no_objects()] * 2) as leaves:
            assert sorted(leaf.shape[1] for leaf in leaves) == [2, 4]
            for leaf in leaves:
                leaf.data.fill_(3)
            outputs = detector(batch)
            assert torch.equal(outputs, torch.full_like(outputs, 3))


def test_a_loss_reaches_the_leaves_and_no_weight() -> None:
    detector = toy()
    with train_mode(detector):
        batch = preprocess(detector, [scene(), scene(seed=1)])
        targets = [one_target(), one_target(1)]
        with free_outputs(detector, batch, targets) as leaves:
            sum(detector.loss(detector(batch, targets), batch, targets).values()).backward()  # type: ignore[union-attr]
            assert all(leaf.grad is not None for leaf in leaves)
            assert all(one.grad is None for one in detector.parameters())


def test_afterwards_the_detector_is_as_it_was() -> None:
    detector = toy().eval()
    before = detector(preprocess(detector, [scene()]))
    with train_mode(detector):
        batch = preprocess(detector, [scene(), scene(seed=1)])
        with free_outputs(detector, batch, [no_objects()] * 2):
            pass
    assert all(one.requires_grad for one in detector.parameters())
    assert not any("forward" in vars(module) for module in detector.modules())
    assert torch.equal(detector(preprocess(detector, [scene()])), before)


def test_every_tensor_of_a_pytree_is_found() -> None:
    a, b, c = torch.zeros(1), torch.ones(1), torch.ones(2)
    assert [one.shape for one in tensors({"a": [a, (b, 5)], "b": c, "c": None})] == [
        (1,),
        (1,),
        (2,),
    ]
    assert tensors("nothing") == []
