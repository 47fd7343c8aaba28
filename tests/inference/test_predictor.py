"""Anything with the few members of a Predictor can be asked to detect; it need not be a network."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from zoo.contract import Protocol, Thresholds
from zoo.detections import Detections
from zoo.errors import ContractError
from zoo.inference.detect import detect
from zoo.labels import LabelSpace


class Whole:
    """Sees one box around every image, with the score of its mean."""

    name = "whole"
    label_space = LabelSpace("custom", ("image",))
    defaults = Thresholds(score=0.0, iou=1.0, max_boxes=1)
    device = torch.device("cpu")

    def __init__(self) -> None:
        self.asked: list[Thresholds] = []

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        return height, width

    def predict(self, images: Sequence[Tensor], thresholds: Thresholds) -> list[Detections]:
        self.asked.append(thresholds)
        return [self._one(image) for image in images]

    def _one(self, image: Tensor) -> Detections:
        height, width = image.shape[1:]
        box = torch.tensor([[0.0, 0.0, width, height]])
        score = (image.float().mean() / 255)[None]
        return Detections(box, score, torch.tensor([0]), self.label_space, size=(height, width))


def test_a_predictor_without_a_network_detects() -> None:
    images = [torch.full((3, 20, 30), 51, dtype=torch.uint8)] * 3
    predictor = Whole()
    found = detect(predictor, images, protocol=Protocol(score=0.1), progress=False)
    assert [one.scores.tolist() for one in found] == [[pytest.approx(0.2)]] * 3
    assert predictor.asked == [Thresholds(score=0.1, iou=1.0, max_boxes=1)]


def test_what_a_predictor_raises_names_it_and_the_image() -> None:
    class Broken(Whole):
        def _one(self, image: Tensor) -> Detections:
            raise KeyError(f"no weights for {image.dtype}")

    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    with pytest.raises(ContractError, match=r"'whole'(.|\n)*predict raised KeyError: 'no weights"):
        detect(Broken(), [image], protocol=Protocol(), progress=False)
