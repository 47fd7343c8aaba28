"""All twelve architectures against torchvision itself, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from detzoo_torchvision import architectures
from detzoo_torchvision.preprocess import TorchvisionPreprocess
from torch import Tensor, nn
from torchvision.models import get_model_weights

from plugins.torchvision.tests.toys import SPACE
from zoo import Detections, Protocol
from zoo.contract import Thresholds
from zoo.detectors import Target
from zoo.labels import LabelSpace

MASK_KEYPOINT_LOSSES = {"loss_mask", "loss_keypoint"}


def floats(images: list[Tensor]) -> list[Tensor]:
    return [image.float() / 255 for image in images]


def assert_same(seen: Detections, theirs: dict[str, Tensor], channels: tuple[int, ...]) -> None:
    labels = torch.tensor(channels)[theirs["labels"]]
    public = labels >= 0
    assert torch.equal(seen.boxes, theirs["boxes"][public])
    assert torch.equal(seen.scores, theirs["scores"][public])
    assert torch.equal(seen.labels, labels[public])


def thresholds_of(theirs: Any) -> Any:
    return getattr(theirs, "roi_heads", theirs)


def test_boxes_scores_and_labels_are_bit_equal_to_torchvisions(pair: Any) -> None:
    ours = pair.ours.decode(
        pair.evaluated.outputs, pair.evaluated.batch, Protocol().thresholds(pair.ours.defaults)
    )
    with torch.no_grad():
        theirs = pair.theirs(floats(pair.images))
    assert sum(len(one) for one in ours) > 3
    for seen, expected in zip(ours, theirs, strict=True):
        assert_same(seen, expected, pair.ours.label_space.channels)


def test_a_protocol_acts_as_torchvisions_own_thresholds_do(
    pair: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs, batch = pair.evaluated.outputs, pair.evaluated.batch
    median = (
        torch.cat(
            [
                one.scores
                for one in pair.ours.decode(
                    outputs, batch, Protocol().thresholds(pair.ours.defaults)
                )
            ]
        )
        .median()
        .item()
    )
    ours = pair.ours.decode(
        outputs, batch, Protocol(score=median, iou=0.1, max_boxes=9).thresholds(pair.ours.defaults)
    )
    owner = thresholds_of(pair.theirs)
    for name, value in (("score_thresh", median), ("nms_thresh", 0.1), ("detections_per_img", 9)):
        monkeypatch.setattr(owner, name, value)
    with torch.no_grad():
        theirs = pair.theirs(floats(pair.images))
    assert sum(len(one) for one in ours) > 1
    for seen, expected in zip(ours, theirs, strict=True):
        assert_same(seen, expected, pair.ours.label_space.channels)


def test_each_threshold_changes_what_is_seen(pair: Any) -> None:
    def seen(**settings: float) -> Tensor:
        protocol = Protocol(**({"score": 0.0, "iou": 1.0, "max_boxes": 10**6} | settings))
        return torch.cat(
            [
                one.scores
                for one in pair.ours.decode(
                    pair.evaluated.outputs,
                    pair.evaluated.batch,
                    protocol.thresholds(pair.ours.defaults),
                )
            ]
        )

    every = seen()
    assert 0 < len(seen(score=every.median().item())) < len(every)
    assert 0 < len(seen(iou=0.1)) < len(every)
    assert len(seen(max_boxes=1)) <= len(pair.images)


@pytest.mark.usefixtures("train_mode")
def test_losses_are_equal_to_torchvisions_own_training_forward(pair: Any) -> None:
    channels = torch.tensor(pair.ours.label_space.channel_of_label)
    theirs_truth = [
        {
            "boxes": one.boxes,
            "labels": channels[one.labels],
            "masks": torch.ones(len(one.boxes), *image.shape[1:], dtype=torch.uint8),
            "keypoints": torch.ones(len(one.boxes), 17, 3),
        }
        for one, image in zip(pair.truth, pair.images, strict=True)
    ]
    with torch.no_grad():
        ours = pair.ours.loss(pair.trained.outputs, pair.trained.batch, pair.truth)
        torch.manual_seed(3)
        theirs = pair.theirs(floats(pair.images), theirs_truth)
    assert set(ours) == set(theirs) - MASK_KEYPOINT_LOSSES
    for name, loss in ours.items():
        assert torch.equal(loss, theirs[name]), name
        assert loss > 0


@pytest.mark.usefixtures("train_mode")
@pytest.mark.parametrize("boxes", [(0, 1), (0, 0)], ids=["one-empty", "all-empty"])
def test_images_without_any_box_give_finite_losses(pair: Any, boxes: tuple[int, int]) -> None:
    box = torch.tensor([[4.0, 4.0, 50.0, 60.0]])
    truth = [
        Target(box[:count], torch.zeros(count, dtype=torch.int64))
        for count in boxes[: len(pair.images)]
    ]
    with torch.no_grad():
        outputs, batch = pair.trained.outputs, pair.trained.batch
        if hasattr(outputs, "samples"):  # of two stages, which sample regions by the truth
            outputs = pair.ours(batch, truth)
        losses = pair.ours.loss(outputs, batch, truth)
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_the_configuration_is_the_one_torchvision_gives_its_published_weights(pair: Any) -> None:
    def layers(net: nn.Module) -> dict[str, tuple[object, ...]]:
        return {
            name: (type(each), getattr(each, "eps", None), each.extra_repr())
            for name, each in net.named_modules()
            if name != "transform"
        }

    assert layers(pair.ours.net) == layers(pair.theirs)
    assert pair.ours.preprocess == TorchvisionPreprocess.of(pair.theirs.transform)
    owner = thresholds_of(pair.theirs)
    assert pair.ours.defaults == Thresholds(
        score=owner.score_thresh, iou=owner.nms_thresh, max_boxes=owner.detections_per_img
    )


def test_parameters_are_as_many_as_torchvision_publishes(pair: Any) -> None:
    published = get_model_weights(pair.name).DEFAULT.meta["num_params"]
    assert sum(parameter.numel() for parameter in pair.ours.parameters()) == published


def test_a_network_built_on_the_meta_device_keeps_nothing_there(pair: Any) -> None:
    def tensors(value: object) -> Iterator[Tensor]:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, dict | list | tuple):
            for item in value.values() if isinstance(value, dict) else value:
                yield from tensors(item)

    held = [
        (name, tensor)
        for name, module in pair.ours.named_modules()
        for tensor in tensors(list(vars(module).values()))
    ]
    assert len(held) > 50
    assert not [name for name, tensor in held if tensor.is_meta]


def test_threads_with_different_thresholds_do_not_disturb_each_other(pair: Any) -> None:
    protocols = [
        Protocol(score=score, max_boxes=most) for score in (0.0, 0.1, 0.4) for most in (3, 50)
    ]

    def decode(protocol: Protocol) -> list[Detections]:
        return pair.ours.decode(
            pair.evaluated.outputs, pair.evaluated.batch, protocol.thresholds(pair.ours.defaults)
        )

    alone = [decode(protocol) for protocol in protocols]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(decode, protocols))
    for one, other in zip(alone, together, strict=True):
        assert all(
            torch.equal(a.boxes, b.boxes) and torch.equal(a.labels, b.labels)
            for a, b in zip(one, other, strict=True)
        )
    assert pair.ours.defaults == Thresholds(
        score=thresholds_of(pair.ours.net).score_thresh,
        iou=thresholds_of(pair.ours.net).nms_thresh,
        max_boxes=thresholds_of(pair.ours.net).detections_per_img,
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


def test_batch_norm_can_be_asked_for_in_the_place_of_frozen_statistics() -> None:
    label_space = LabelSpace.custom(["cat"])
    with torch.device("meta"):
        trained = architectures.fcos_resnet50_fpn(label_space=label_space, norm="batch")
        frozen = architectures.fcos_resnet50_fpn(label_space=label_space)
    kinds = [{type(layer).__name__ for layer in one.modules()} for one in (trained, frozen)]
    assert "BatchNorm2d" in kinds[0] - kinds[1]
    assert "FrozenBatchNorm2d" in kinds[1] - kinds[0]


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(TypeError, match="min_sise"):
        architectures.fcos_resnet50_fpn(label_space=SPACE, min_sise=320)


def test_a_second_stage_looks_at_as_many_proposals_as_are_asked_for() -> None:
    with torch.device("meta"):
        few = architectures.fasterrcnn_mobilenet_v3_large_320_fpn(label_space=SPACE, proposals=7)
        published = architectures.fasterrcnn_mobilenet_v3_large_320_fpn(label_space=SPACE)
    assert few.net.rpn.train().post_nms_top_n() == few.net.rpn.eval().post_nms_top_n() == 7
    assert published.net.rpn.eval().post_nms_top_n() == 150


def test_the_sides_of_its_inputs_can_be_chosen() -> None:
    with torch.device("meta"):
        small = architectures.retinanet_resnet50_fpn(label_space=SPACE, min_size=96, max_size=128)
    assert small.input_size(100, 100) == (96, 96)
    assert small.input_size(100, 400) == (32, 128)
