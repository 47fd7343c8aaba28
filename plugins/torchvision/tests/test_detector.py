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

from zoo import Protocol
from zoo.detectors import Target
from zoo.errors import ContractError, ImageError, LabelError
from zoo.images import ImageWarning
from zoo.labels import LabelSpace

SPACE = LabelSpace.custom(["helmet", "vest", "boot"])
KINDS = (
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "retinanet_resnet50_fpn",
    "fcos_resnet50_fpn",
    "ssdlite320_mobilenet_v3_large",
)


@pytest.fixture(scope="module", params=KINDS)
def detector(request: pytest.FixtureRequest, make_ours: Callable[..., Any]) -> Any:
    """One architecture of each kind, for three classes."""
    return make_ours(request.param, SPACE)


@pytest.fixture(scope="module")
def fcos(make_ours: Callable[..., Any]) -> Any:
    return make_ours("fcos_resnet50_fpn", SPACE)


@pytest.fixture(scope="module")
def rcnn(make_ours: Callable[..., Any]) -> Any:
    return make_ours("fasterrcnn_mobilenet_v3_large_320_fpn", SPACE)


@torch.no_grad()
def see(detector: Any, images: list[Tensor], **settings: Any) -> Any:
    batch = detector.preprocess(images, dtype=detector.dtype)
    return detector.decode(
        detector(batch), batch, Protocol(**settings).thresholds(detector.defaults)
    )


def target(*boxes: tuple[float, float, float, float], label: int = 0) -> Target:
    return Target(torch.tensor(boxes).reshape(-1, 4), torch.full((len(boxes),), label))


def test_labels_of_ones_own_are_seen(detector: Any, images: list[Tensor]) -> None:
    seen = see(detector, images)
    assert all(one.label_space.names == SPACE.names for one in seen)
    assert {name for one in seen for name in (one.names[label] for label in one.labels)} <= set(
        SPACE.names
    )
    assert sum(len(one) for one in seen)


def test_detections_are_best_first_inside_the_image_and_know_its_size(
    detector: Any, images: list[Tensor]
) -> None:
    for seen, image in zip(see(detector, images, score=0.0), images, strict=True):
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


def test_a_fixed_size_is_the_same_for_every_image() -> None:
    with torch.device("meta"):
        lite = architectures.ssdlite320_mobilenet_v3_large(label_space=SPACE)
        ssd = architectures.ssd300_vgg16(label_space=SPACE)
    assert lite.input_size(17, 900) == lite.input_size(1, 1) == (320, 320)
    assert ssd.input_size(17, 900) == (300, 300)


def test_the_published_input_size_is_the_default() -> None:
    with torch.device("meta"):
        large = architectures.fasterrcnn_resnet50_fpn(label_space=SPACE)
        small = architectures.fasterrcnn_mobilenet_v3_large_320_fpn(label_space=SPACE)
    assert large.input_size(480, 640) == (800, 1088)  # 800 x 1066, padded to multiples of 32
    assert small.input_size(480, 640) == (320, 448)


def test_an_image_whose_short_side_would_vanish_is_refused(fcos: Any) -> None:
    with pytest.raises(ImageError, match="20000 x 10 pixels"):
        fcos.input_size(10, 20000)
    with pytest.raises(ImageError, match="short side would be less than one"):
        fcos.preprocess([torch.zeros(3, 1, 300, dtype=torch.uint8)])


def test_a_very_flat_first_image_does_not_spoil_those_after_it(
    rcnn: Any, images: list[Tensor]
) -> None:
    with torch.device("meta"):
        fresh, other = (
            architectures.fasterrcnn_mobilenet_v3_large_320_fpn(label_space=SPACE).eval()
            for _ in range(2)
        )
    for one in (fresh, other):
        one.load_state_dict(rcnn.state_dict(), assign=True)
    see(other, [torch.full((3, 2, 600), 90, dtype=torch.uint8)])
    after, alone = see(other, images), see(fresh, images)
    assert all(torch.equal(one.scores, two.scores) for one, two in zip(after, alone, strict=True))
    assert len(alone[0])


def test_a_network_built_on_the_meta_device_equals_one_built_where_it_runs(
    rcnn: Any, images: list[Tensor]
) -> None:
    built_here = architectures.fasterrcnn_mobilenet_v3_large_320_fpn(
        label_space=SPACE, min_size=128, max_size=256
    ).eval()
    built_here.net.rpn._post_nms_top_n = rcnn.net.rpn._post_nms_top_n
    built_here.load_state_dict(rcnn.state_dict())
    for one, other in zip(see(built_here, images), see(rcnn, images), strict=True):
        assert torch.equal(one.boxes, other.boxes)
        assert torch.equal(one.scores, other.scores)


def test_frozen_eps_is_set_where_a_card_says_so_and_changes_the_output(
    fcos: Any, images: list[Tensor]
) -> None:
    before = see(fcos, images)[0]
    fcos.post_load({"frozen_bn_eps": 0.1})
    after = see(fcos, images)[0]
    fcos.post_load({"frozen_bn_eps": 1e-5})
    assert not torch.equal(before.scores[:5], after.scores[:5])
    assert torch.equal(see(fcos, images)[0].scores, before.scores)


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
    before = see(fcos, images)[0].scores
    with pytest.raises(ContractError, match="momentum: 1"):
        fcos.post_load({"frozen_bn_eps": 0.5, "momentum": 1})
    assert torch.equal(see(fcos, images)[0].scores, before)


def test_no_post_load_settings_are_no_error() -> None:
    with torch.device("meta"):
        architectures.ssd300_vgg16(label_space=SPACE).post_load({})


def test_a_box_without_area_is_left_out_of_the_loss(fcos: Any, images: list[Tensor]) -> None:
    batch = fcos.preprocess(images[:1])
    outputs = fcos(batch)
    whole = target((1.0, 1.0, 9.0, 9.0))
    flat = Target(
        torch.cat([whole.boxes, torch.tensor([[4.0, 4.0, 4.0, 9.0]])]),
        torch.cat([whole.labels, torch.tensor([1])]),
    )
    assert fcos.loss(outputs, batch, [flat]) == fcos.loss(outputs, batch, [whole])


def test_targets_are_one_an_image(fcos: Any, images: list[Tensor]) -> None:
    batch = fcos.preprocess(images)
    with pytest.raises(ValueError, match="one per image, 2, got 0"):
        fcos.loss(fcos(batch), batch, [])


@pytest.mark.parametrize(
    "image",
    [np.zeros((8, 8, 3), np.uint8), torch.zeros(3, 8, 8), torch.zeros(8, 8, dtype=torch.uint8)],
)
def test_what_is_no_uint8_image_is_refused(fcos: Any, image: Any) -> None:
    with pytest.raises(ImageError, match=r"image 0(.|\n)*uint8 RGB"):
        fcos.preprocess([image])


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_outside_the_space_is_refused(fcos: Any, images: list[Tensor], label: int) -> None:
    batch = fcos.preprocess(images[:1])
    with pytest.raises(LabelError, match=rf"the label {label}\.(.|\n)*has 3 labels, from 0"):
        fcos.loss(fcos(batch), batch, [target((1.0, 1.0, 9.0, 9.0), label=label)])


def test_a_two_stage_loss_wants_outputs_made_with_targets(rcnn: Any, images: list[Tensor]) -> None:
    batch, truth = rcnn.preprocess(images[:1]), [target()]
    for outputs in (rcnn(batch), rcnn(batch, truth), rcnn.train()(batch)):
        with pytest.raises(ContractError, match=r"outputs = model\(batch, targets\)"):
            rcnn.loss(outputs, batch, truth)
    rcnn.eval()


def test_two_stage_outputs_of_train_mode_are_decoded_if_they_hold_no_truth(
    rcnn: Any, images: list[Tensor]
) -> None:
    rcnn.train()
    batch = rcnn.preprocess(images[:1])
    outputs, sampled = rcnn(batch), rcnn(batch, [target((5.0, 5.0, 60.0, 60.0))])
    rcnn.eval()
    (found,) = rcnn.decode(outputs, batch, rcnn.defaults)
    assert len(found)
    with pytest.raises(ContractError, match=r"model\(batch\) without targets"):
        rcnn.decode(sampled, batch, rcnn.defaults)


def test_another_float_type_works_and_gives_float32_boxes(
    make_ours: Callable[..., Any], images: list[Tensor]
) -> None:
    precise = make_ours("fcos_resnet50_fpn", SPACE).double()
    assert precise.preprocess(images, dtype=precise.dtype).pixels.dtype == torch.float64
    assert see(precise, images)[0].boxes.dtype == torch.float32


def test_images_are_not_changed(fcos: Any, images: list[Tensor]) -> None:
    copies = [image.clone() for image in images]
    see(fcos, images)
    assert all(torch.equal(image, copy) for image, copy in zip(images, copies, strict=True))


def test_nothing_seen_is_empty_detections(detector: Any, images: list[Tensor]) -> None:
    assert [len(one) for one in see(detector, images, score=1.0)] == [0, 0]


def test_places_remember_the_images_sizes(detector: Any, images: list[Tensor]) -> None:
    places = detector.preprocess(images).places
    assert [(place.height, place.width) for place in places] == [
        tuple(image.shape[1:]) for image in images
    ]


def test_a_box_goes_to_the_input_and_back(detector: Any, images: list[Tensor]) -> None:
    place = detector.preprocess(images).places[1]
    box = torch.tensor([[3.0, 5.0, 40.0, 80.0]])
    assert torch.allclose(place.to_original(place.to_input(box)), box)


def test_an_image_that_is_too_long_does_not_hide_the_others(
    fcos: Any, images: list[Tensor]
) -> None:
    long = torch.zeros(3, 1, 300, dtype=torch.uint8)
    with pytest.warns(
        ImageWarning, match=r"'image 0', 300 x 1 pixels(.|\n)*short side would be less than one"
    ):
        seen = fcos.detect([long, images[0]], on_error="skip")
    assert [one.source for one in seen] == ["image 1"]
