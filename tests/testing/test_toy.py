"""The smallest whole detector: it detects, learns, and shows train mode."""

import torch

from zoo.contract import Target, Thresholds
from zoo.labels import LabelSpace
from zoo.testing import Toy
from zoo.testing.toy import SIDE, Stretch

SPACE = LabelSpace.custom(["red", "green", "blue"])
IMAGE = torch.randint(0, 256, (3, 48, 64), dtype=torch.uint8)


def test_it_is_small() -> None:
    assert sum(one.numel() for one in Toy(SPACE).parameters()) == 35


def test_images_are_stretched_and_boxes_come_back() -> None:
    batch = Stretch()([IMAGE, IMAGE[:, :16]])
    assert batch.pixels.shape == (2, 3, SIDE, SIDE)
    assert float(batch.pixels.abs().max()) <= 2
    whole = torch.tensor([[0.0, 0, 64, 48]])
    assert batch.transforms[0].to_input(whole).tolist() == [[0, 0, 32, 32]]
    assert Stretch().at((8, 16)).input_size(48, 64) == (8, 16)


def test_it_detects_within_its_thresholds() -> None:
    detector = Toy(SPACE).eval()
    batch = detector.preprocess([IMAGE])
    with torch.inference_mode():
        outputs = detector(batch)
        [found] = detector.decode(outputs, batch, Thresholds(score=0.0, iou=1.0, max_boxes=16))
        [few] = detector.decode(outputs, batch, Thresholds(score=0.0, iou=1.0, max_boxes=3))
        [none] = detector.decode(outputs, batch, Thresholds(score=1.0, iou=1.0, max_boxes=16))
    assert (len(found), len(few), len(none)) == (16, 3, 0)
    assert found.size == (48, 64)
    assert torch.equal(few.scores, found.scores[:3])


def test_a_few_steps_lower_its_loss() -> None:
    torch.manual_seed(0)
    detector = Toy(SPACE).train()
    batch = detector.preprocess([IMAGE] * 4)
    targets = [Target(torch.tensor([[10.0, 8, 42, 40]]), torch.tensor([1]))] * 4
    optimizer = torch.optim.Adam(detector.parameters(), lr=0.05)
    losses = []
    for _ in range(30):
        loss = torch.stack(list(detector.loss(detector(batch), batch, targets).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_train_mode_changes_its_answers_and_is_changed_by_them() -> None:
    detector = Toy(SPACE)
    batch = detector.preprocess([IMAGE])
    mean = detector.norm.running_mean.clone()
    assert not torch.equal(detector.train()(batch), detector.eval()(batch))
    assert not torch.equal(detector.norm.running_mean, mean)
