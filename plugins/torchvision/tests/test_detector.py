"""What a torchvision detector promises beyond parity: sizes, fixes, other label spaces, and bad
input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from detzoo_torchvision import architectures
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from plugins.torchvision.tests.toys import SPACE, detections_of, target
from zoo.errors import ContractError, ImageError
from zoo.images import ImageWarning


def test_labels_of_ones_own_are_seen(detector: Any, images: list[Tensor]) -> None:
    seen = detections_of(detector, images)
    assert all(one.label_space.names == SPACE.names for one in seen)
    assert {name for one in seen for name in (one.names[label] for label in one.labels)} <= set(
        SPACE.names
    )
    assert sum(len(one) for one in seen)


def test_detections_are_best_first_inside_the_image_and_know_its_size(
    detector: Any, images: list[Tensor]
) -> None:
    for seen, image in zip(detections_of(detector, images, score=0.0), images, strict=True):
        height, width = image.shape[-2:]
        assert seen.size == (height, width)
        assert torch.equal(seen.scores, seen.scores.sort(descending=True).values)
        assert seen.boxes.min() >= 0
        assert seen.boxes[:, 2].max() <= width * (
            1 + 1e-6
        )  # torchvision's rounding may pass the edge by one part in 2^23
        assert seen.boxes[:, 3].max() <= height * (1 + 1e-6)


def test_the_four_steps_train_it(detector: Any, images: list[Tensor]) -> None:
    detector.train()
    batch = detector.preprocess(images)
    truth = [target((5.0, 5.0, 60.0, 60.0), label=2), target()]
    losses = detector.loss(detector(batch, truth), batch, truth)
    sum(losses.values()).backward()
    gradients = [
        parameter.grad for parameter in detector.parameters() if parameter.grad is not None
    ]
    detector.zero_grad(set_to_none=True)
    detector.eval()
    assert len(gradients) > 50
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


@settings(max_examples=30)
@given(height=st.integers(1, 300), width=st.integers(1, 300))
def test_input_size_is_the_size_that_preprocess_makes(
    fcos: Any, rcnn: Any, height: int, width: int
) -> None:
    for one in (fcos, rcnn):
        try:
            expected = one.input_size(height, width)
        except ImageError:
            assert max(height, width) > 100 * min(height, width)
        else:
            assert (
                tuple(
                    one.preprocess([torch.zeros(3, height, width, dtype=torch.uint8)]).pixels.shape[
                        -2:
                    ]
                )
                == expected
            )


def test_an_image_whose_short_side_would_vanish_is_refused(fcos: Any) -> None:
    with pytest.raises(ImageError, match="20000 x 10 pixels"):
        fcos.input_size(10, 20000)
    with pytest.raises(ImageError, match="short side would be less than one"):
        fcos.preprocess([torch.zeros(3, 1, 300, dtype=torch.uint8)])


def test_a_network_built_on_the_meta_device_equals_one_built_where_it_runs(
    rcnn: Any, images: list[Tensor]
) -> None:
    built_here = architectures.fasterrcnn_mobilenet_v3_large_320_fpn(
        label_space=SPACE, min_size=128, max_size=256
    ).eval()
    built_here.net.rpn._post_nms_top_n = rcnn.net.rpn._post_nms_top_n
    built_here.load_state_dict(rcnn.state_dict())
    for one, other in zip(
        detections_of(built_here, images), detections_of(rcnn, images), strict=True
    ):
        assert torch.equal(one.boxes, other.boxes)
        assert torch.equal(one.scores, other.scores)


def test_frozen_eps_is_set_where_a_card_says_so_and_changes_the_output(
    fcos: Any, images: list[Tensor]
) -> None:
    before = detections_of(fcos, images)[0]
    fcos.post_load({"frozen_bn_eps": 0.1})
    after = detections_of(fcos, images)[0]
    fcos.post_load({"frozen_bn_eps": 1e-5})
    assert not torch.equal(before.scores[:5], after.scores[:5])
    assert torch.equal(detections_of(fcos, images)[0].scores, before.scores)


def test_frozen_eps_is_refused_by_a_network_without_frozen_norms() -> None:
    with torch.device("meta"):
        ssd = architectures.ssd300_vgg16(label_space=SPACE)
    with pytest.raises(ContractError, match=r"frozen_bn_eps: 0\.0"):
        ssd.post_load({"frozen_bn_eps": 0.0})


@pytest.mark.parametrize(
    "settings", [{"frozen_bn_eps": -1.0}, {"frozen_bn_eps": "0.0"}, {"frozen_bn_eps": True}]
)
def test_a_post_load_setting_of_another_value_is_refused(
    fcos: Any, settings: dict[str, Any]
) -> None:
    with pytest.raises(ContractError, match="not a number of at least 0"):
        fcos.post_load(settings)


def test_an_unknown_post_load_setting_is_refused_before_any_is_set(
    fcos: Any, images: list[Tensor]
) -> None:
    before = detections_of(fcos, images)[0].scores
    with pytest.raises(ContractError, match="momentum: 1"):
        fcos.post_load({"frozen_bn_eps": 0.5, "momentum": 1})
    assert torch.equal(detections_of(fcos, images)[0].scores, before)


def test_no_post_load_settings_are_no_error() -> None:
    with torch.device("meta"):
        architectures.ssd300_vgg16(label_space=SPACE).post_load({})


@pytest.mark.parametrize(
    "image",
    [np.zeros((8, 8, 3), np.uint8), torch.zeros(3, 8, 8), torch.zeros(8, 8, dtype=torch.uint8)],
)
def test_what_is_no_uint8_image_is_refused(fcos: Any, image: Any) -> None:
    with pytest.raises(ImageError, match=r"image 0(.|\n)*uint8 RGB"):
        fcos.preprocess([image])


def test_another_float_type_works_and_gives_float32_boxes(
    make_ours: Callable[..., Any], images: list[Tensor]
) -> None:
    precise = make_ours("fcos_resnet50_fpn", SPACE).double()
    assert precise.preprocess(images, dtype=precise.dtype).pixels.dtype == torch.float64
    assert detections_of(precise, images)[0].boxes.dtype == torch.float32


def test_images_are_not_changed(fcos: Any, images: list[Tensor]) -> None:
    copies = [image.clone() for image in images]
    detections_of(fcos, images)
    assert all(torch.equal(image, copy) for image, copy in zip(images, copies, strict=True))


def test_nothing_seen_is_empty_detections(detector: Any, images: list[Tensor]) -> None:
    assert [len(one) for one in detections_of(detector, images, score=1.0)] == [0, 0]


def test_places_remember_the_images_sizes(detector: Any, images: list[Tensor]) -> None:
    transforms = detector.preprocess(images).transforms
    assert [(transform.height, transform.width) for transform in transforms] == [
        tuple(image.shape[1:]) for image in images
    ]


def test_a_box_goes_to_the_input_and_back(detector: Any, images: list[Tensor]) -> None:
    transform = detector.preprocess(images).transforms[1]
    box = torch.tensor([[3.0, 5.0, 40.0, 80.0]])
    assert torch.allclose(transform.to_original(transform.to_input(box)), box)


def test_an_image_that_is_too_long_does_not_hide_the_others(
    fcos: Any, images: list[Tensor]
) -> None:
    long = torch.zeros(3, 1, 300, dtype=torch.uint8)
    with pytest.warns(
        ImageWarning, match=r"'image 0' \(300 x 1 pixels\)(.|\n)*short side would be less than one"
    ):
        seen = fcos.detect([long, images[0]], on_error="skip")
    assert [one.source for one in seen] == ["image 1"]
