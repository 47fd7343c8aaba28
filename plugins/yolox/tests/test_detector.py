"""YOLOX as a detector of the zoo: its sizes, its steps, and what it refuses."""

import pytest
import torch
from detzoo_yolox.detector import YOLOX, build

from zoo import labels
from zoo.contract import Thresholds
from zoo.detectors import Protocol
from zoo.errors import CardError
from zoo.labels import LabelSpace

# Published millions of parameters, of the README of Megvii-BaseDetection/YOLOX at 6ddff48, and the
# arguments of each size.
PUBLISHED: dict[str, tuple[float, dict[str, object]]] = {
    "nano": (0.91, {"depth": 0.33, "width": 0.25, "depthwise": True}),
    "tiny": (5.06, {"depth": 0.33, "width": 0.375}),
    "s": (9.0, {"depth": 0.33, "width": 0.5}),
    "m": (25.3, {"depth": 0.67, "width": 0.75}),
    "l": (54.2, {}),
    "x": (99.1, {"depth": 1.33, "width": 1.25}),
    "darknet53": (63.7, {"backbone": "darknet53"}),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_size_has_the_published_number_of_parameters(name: str) -> None:
    millions, arguments = PUBLISHED[name]
    with torch.device("meta"):
        model = build(label_space=labels.get("coco80"), **arguments)  # type: ignore[arg-type]
    count = sum(parameter.numel() for parameter in model.parameters())
    digits = len(str(millions).partition(".")[2])
    assert round(count / 1e6, digits) == millions


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_size_runs_at_strides_8_16_and_32(name: str) -> None:
    with torch.device("meta"):
        model = build(label_space=labels.get("coco80"), size=96, **PUBLISHED[name][1]).eval()  # type: ignore[arg-type]
        outputs = model(
            model.preprocess([torch.zeros(3, 96, 96, dtype=torch.uint8)], device="meta")
        )
    assert [(grid.height, grid.width, grid.stride) for grid in outputs.grids] == [
        (12, 12, 8),
        (6, 6, 16),
        (3, 3, 32),
    ]
    assert tuple(outputs.values.shape) == (1, 12 * 12 + 6 * 6 + 3 * 3, 85)


@pytest.mark.parametrize("name", PUBLISHED)
def test_batch_norms_are_those_the_weights_were_trained_with(name: str) -> None:
    with torch.device("meta"):
        model = build(label_space=labels.get("coco80"), **PUBLISHED[name][1])  # type: ignore[arg-type]
    norms = {
        (one.eps, one.momentum) for one in model.modules() if isinstance(one, torch.nn.BatchNorm2d)
    }
    assert norms == {(1e-3, 0.03)}


def test_nothing_stays_on_the_meta_device_once_the_state_dict_is_in(
    toy: YOLOX, letters: LabelSpace
) -> None:
    with torch.device("meta"):
        empty = build(label_space=letters, depth=0.33, width=0.125, size=64)
    empty.load_state_dict(toy.state_dict(), strict=True, assign=True)
    assert not any(tensor.is_meta for tensor in (*empty.parameters(), *empty.buffers()))
    batch = toy.preprocess([torch.full((3, 50, 64), 200, dtype=torch.uint8)])
    with torch.inference_mode():
        assert torch.equal(empty.eval()(batch).values, toy(batch).values)


def test_detections_lie_in_the_original_image_best_first_and_on_the_cpu(toy: YOLOX) -> None:
    images = [
        torch.randint(0, 256, (3, height, width), dtype=torch.uint8)
        for height, width in ((200, 120), (33, 90))
    ]
    batch = toy.preprocess(images)
    with torch.inference_mode():
        found = toy.decode(
            toy(batch), batch, Protocol(score=0.0, max_boxes=7).thresholds(toy.defaults)
        )
    assert [one.size for one in found] == [(200, 120), (33, 90)]
    for one in found:
        height, width = one.size or (0, 0)
        assert len(one) == 7
        assert one.scores.tolist() == sorted(one.scores.tolist(), reverse=True)
        assert one.boxes.min() >= 0
        assert (one.boxes <= torch.tensor([width, height, width, height])).all()
        assert one.boxes.device.type == "cpu"
        assert one.names == ("a", "b", "c")


def test_open_thresholds_are_the_familys_own(toy: YOLOX) -> None:
    assert toy.defaults == Thresholds(score=0.01, iou=0.65, max_boxes=100)
    batch = toy.preprocess([torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8)])
    with torch.inference_mode():
        outputs = toy(batch)
    [open_], [filled] = (
        toy.decode(outputs, batch, Protocol().thresholds(toy.defaults)),
        toy.decode(outputs, batch, toy.defaults),
    )
    assert torch.equal(open_.boxes, filled.boxes)


def test_every_image_has_the_same_input_size(toy: YOLOX) -> None:
    assert toy.input_size(1080, 1920) == toy.input_size(1, 1) == (64, 64)


def test_lower_precision_runs_and_decodes_to_single(toy: YOLOX) -> None:
    model = toy.to(torch.bfloat16)
    noise = torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8)
    batch = model.preprocess([noise], dtype=model.dtype)
    assert batch.pixels.dtype == torch.bfloat16
    with torch.inference_mode():
        [seen] = model.decode(model(batch), batch, Protocol(score=0.0).thresholds(model.defaults))
    assert len(seen) > 0
    assert seen.boxes.dtype == torch.float32


@pytest.mark.parametrize(
    ("arguments", "fix"),
    [
        ({"size": 400}, r"Use size: 384 or size: 416\."),
        ({"size": 0}, r"Use size: 32 or size: 64\."),
        ({"backbone": "resnet"}, r"Use backbone: cspdarknet or backbone: darknet53\."),
        ({"backbone": "darknet53", "width": 0.5}, r"Leave out depth, width and depthwise\."),
    ],
)
def test_an_argument_out_of_range_is_refused_with_what_to_write(
    arguments: dict[str, object], fix: str, letters: LabelSpace
) -> None:
    with pytest.raises(CardError, match=fix):
        build(label_space=letters, **arguments)  # type: ignore[arg-type]
