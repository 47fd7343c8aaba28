"""A detector on an accelerator sees what it sees on the processor, and hands over detections on the
CPU."""

from __future__ import annotations

import pytest
import torch

import zoo
from zoo.contract import Target
from zoo.errors import UsageError
from zoo.testing.conformance.compare import agree, difference

NAMES = (
    "yolox_nano",
    "ssdlite320_mobilenet_v3_large",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "fcos_resnet50_fpn",
)
EVERYTHING = {"score": 0.0, "max_boxes": 50, "progress": False}


def differences(these, those):
    """What differs between the detections of two runs, in words; nothing where they agree."""
    pairs = enumerate(zip(these, those, strict=True))
    return [
        f"image {number}: {difference(one, other)}"
        for number, (one, other) in pairs
        if not agree(one, other)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_it_sees_what_the_processor_sees_and_detections_are_on_the_cpu(name, make, images, device):
    expected = make(name).detect(images, batch_size=1, **EVERYTHING)
    found = make(name, device).detect(images, **EVERYTHING)
    assert any(map(len, expected))
    assert differences(found, expected) == []
    for one in found:
        assert {one.boxes.device.type, one.scores.device.type, one.labels.device.type} == {"cpu"}
        assert (one.boxes.dtype, one.scores.dtype, one.labels.dtype) == (
            torch.float32,
            torch.float32,
            torch.int64,
        )
        assert not any(column.is_inference() for column in (one.boxes, one.scores, one.labels))


@pytest.mark.parametrize("name", NAMES)
def test_loading_onto_it_is_loading_and_moving_there(name, make, device, tmp_path):
    from safetensors.torch import save_file

    here = make(name)
    save_file(here.state_dict(), tmp_path / "own.safetensors")
    there = zoo.load(name, weights=tmp_path / "own.safetensors", device=device)
    assert there.device == device
    places = {str(one.device) for one in [*there.parameters(), *there.buffers()]}
    assert places == {str(device)}
    for key, tensor in here.state_dict().items():
        assert torch.equal(tensor, there.state_dict()[key].cpu()), key


@pytest.mark.parametrize("name", NAMES)
def test_there_and_back_it_is_the_same(name, make, images, device):
    detector = make(name)
    before = detector.detect(images[:2], **EVERYTHING)
    detector.to(device).detect(images[:2], **EVERYTHING)
    after = detector.to("cpu").detect(images[:2], **EVERYTHING)
    for one, other in zip(before, after, strict=True):
        assert torch.equal(one.boxes, other.boxes), f"{name}: {difference(one, other)}"
        assert torch.equal(one.scores, other.scores)


def test_images_may_be_on_it_already_or_still_on_the_processor(make, images, device):
    detector = make("yolox_nano", device)
    expected = detector.detect(images, **EVERYTHING)
    assert (
        differences(detector.detect([one.to(device) for one in images], **EVERYTHING), expected)
        == []
    )
    mixed = [one.to(device) if number % 2 else one for number, one in enumerate(images)]
    assert differences(detector.detect(mixed, **EVERYTHING), expected) == []
    alone = detector.detect(images[0].to(device), **EVERYTHING)
    assert alone.boxes.device.type == "cpu"
    on_cpu = make("yolox_nano")
    assert (
        differences(on_cpu.detect([one.to(device) for one in images], **EVERYTHING), expected) == []
    )


def test_the_default_device_of_torch_is_taken(device):
    with torch.device(device):
        detector = zoo.load("yolox_nano", weights=False)
    assert detector.device == device


def test_a_device_that_there_is_not_is_refused_with_those_there_are(gpu):
    with pytest.raises(UsageError) as caught:
        zoo.load("yolox_nano", weights=False, device="cuda:97")
    assert "'cuda:97'" in caught.value.failure
    assert "cpu, cuda" in caught.value.fix


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "there", [False, True], ids=["targets on the processor", "targets on the device"]
)
def test_a_step_of_training_runs_on_it(name, there, make, images, device):
    detector = make(name, device).train()
    place = device if there else torch.device("cpu")
    boxes = torch.tensor([[10.0, 8.0, 60.0, 60.0]], device=place)
    target = Target(boxes, torch.tensor([1], device=place))
    with torch.no_grad():
        detector.preprocess([images[0]], device=device)
    batch = detector.preprocess([images[0], images[3]], device=device)
    losses = detector.loss(detector(batch, [target, target]), batch, [target, target])
    sum(losses.values()).backward()
    assert {loss.device.type for loss in losses.values()} == {device.type}
    assert all(bool(loss.isfinite()) for loss in losses.values()), {
        key: float(loss) for key, loss in losses.items()
    }
    graded = [one.grad for one in detector.parameters() if one.grad is not None]
    assert graded
    assert all(bool(grad.isfinite().all()) for grad in graded)


def test_a_batch_moves_with_its_places(make, images, device):
    batch = make("yolox_nano").preprocess(images[:1])
    moved = batch.to(device, torch.float16)
    assert (moved.pixels.device, moved.pixels.dtype, moved.transforms) == (
        device,
        torch.float16,
        batch.transforms,
    )


def test_threads_may_share_one_detector(make, images, device):
    from concurrent.futures import ThreadPoolExecutor

    detector = make("yolox_nano", device)
    expected = [detector.detect(one, **EVERYTHING) for one in images]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda one: detector.detect(one, **EVERYTHING), images * 4))
    assert differences(found, expected * 4) == []
