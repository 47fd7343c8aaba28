"""What every detector does by itself: predict in eval mode, and name the step that fails."""

from collections.abc import Iterator

import pytest
import torch

from zoo.contract import Thresholds
from zoo.contract.predictor import StepError
from zoo.errors import ContractError
from zoo.labels import LabelSpace
from zoo.testing import Toy
from zoo.testing.toy import Stretch

IMAGES = [torch.full((3, 40, 60), 90, dtype=torch.uint8), torch.zeros(3, 32, 32, dtype=torch.uint8)]
ALL = Thresholds(score=0.0, iou=1.0, max_boxes=16)


@pytest.fixture
def toy() -> Iterator[Toy]:
    detector = Toy(LabelSpace.custom(["red", "green", "blue"]))
    yield detector
    detector.release()


def test_it_predicts_in_eval_mode_without_gradients_and_stays_as_it_was(toy: Toy) -> None:
    toy.train()
    first, again = toy.predict(IMAGES, ALL), toy.predict(IMAGES, ALL)
    assert toy.training
    assert [one.size for one in first] == [(40, 60), (32, 32)]
    assert all(one.equals(other) for one, other in zip(first, again, strict=True))
    assert not first[0].boxes.requires_grad


def test_its_input_size_is_its_preprocess_own(toy: Toy) -> None:
    assert toy.input_size(40, 60) == (32, 32)
    toy.preprocess = Stretch((16, 64))
    assert toy.input_size(40, 60) == (16, 64)


def test_images_arrive_where_the_network_is_and_in_its_type(toy: Toy) -> None:
    toy.double()
    assert (toy.dtype, toy.device) == (torch.float64, torch.device("cpu"))
    assert len(toy.predict(IMAGES, ALL)) == 2


@pytest.mark.parametrize("step", ["preprocess", "forward", "decode"])
def test_an_error_names_its_step(step: str, toy: Toy) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("it is broken")

    vars(toy)[step] = fail
    with pytest.raises(StepError, match=f"{step} raised ValueError: it is broken"):
        toy.predict(IMAGES, ALL)


def test_a_setting_after_loading_that_it_does_not_know_is_refused(toy: Toy) -> None:
    toy.post_load({})
    with pytest.raises(ContractError, match="frozen_bn_eps"):
        toy.post_load({"frozen_bn_eps": 0.0})
