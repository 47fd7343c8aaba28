"""Anything with the few members of a Predictor can be asked to detect; it need not be a network."""

import os
import signal
from collections.abc import Iterator, Sequence

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


@pytest.mark.parametrize(
    "size", [None, 5, (3,), ("a", "b"), (0, 0), (-1, 5), (1.5, 2.5), (1, 2, 3)], ids=str
)
def test_a_size_that_is_none_is_said_with_the_step(size: object) -> None:
    class Odd(Whole):
        def input_size(self, *_: int) -> tuple[int, int]:
            return size  # type: ignore[return-value]

    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    with pytest.raises(ContractError, match=r"input_size returned .* \(height, width\)"):
        detect(Odd(), [image], protocol=Protocol(), progress=False)


@pytest.fixture
def ending_at_sigterm() -> Iterator[None]:
    """What services do: SIGTERM ends the program by `sys.exit`."""

    def leave(*_: object) -> None:
        raise SystemExit(7)

    before = signal.signal(signal.SIGTERM, leave)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("ending_at_sigterm")
def test_a_signal_that_arrives_inside_a_model_ends_the_program() -> None:
    class Interrupted(Whole):
        def predict(self, images: Sequence[Tensor], thresholds: Thresholds) -> list[Detections]:
            os.kill(os.getpid(), signal.SIGTERM)
            return super().predict(images, thresholds)

    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    with pytest.raises(SystemExit, match="7"):
        detect(Interrupted(), [image], protocol=Protocol(), progress=False)


@pytest.mark.usefixtures("ending_at_sigterm")
def test_a_model_that_ends_the_program_by_itself_is_at_fault() -> None:
    class Leaving(Whole):
        def _one(self, _image: Tensor) -> Detections:
            raise SystemExit(7)

    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    with pytest.raises(ContractError, match=r"predict raised SystemExit: 7"):
        detect(Leaving(), [image], protocol=Protocol(), progress=False)
