"""Batches fit into the memory of the device, or are halved until they do; what an image needs is
let go of after it."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

from zoo.errors import ImageError
from zoo.inference.batch_limit import PIXEL_BYTES, BatchLimit
from zoo.testing.conformance.compare import agree, difference
from zoo.testing.conformance.images import scene

MB = 2**20


@contextmanager
def room(device: torch.device, extra: int) -> Iterator[None]:
    """Torch may allocate so many bytes more than it holds now."""
    gc.collect()
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(
        (torch.cuda.memory_reserved(device) + extra) / total, device
    )
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)


@pytest.fixture
def hungry(make, gpu):
    """A detector, and how many bytes one image of 640 x 640 needs at its peak; each image of a
    batch about as many."""
    detector = make("yolox_s", gpu)
    return detector, peak(detector, [scene(640, 640)])


def peak(detector, images):
    """Bytes that detecting in these, in one batch, takes at its peak; without what the first time
    takes."""
    for _ in range(2):
        torch.cuda.synchronize(detector.device)
        before = torch.cuda.memory_allocated(detector.device)
        torch.cuda.reset_peak_memory_stats(detector.device)
        detector.detect(images, batch_size=len(images), progress=False)
    return torch.cuda.max_memory_allocated(detector.device) - before


@pytest.fixture
def _usual_convolutions() -> Iterator[None]:
    """Convolutions as torch does them unless told otherwise: exact ones take gigabytes where there
    are some."""
    torch.backends.cudnn.allow_tf32 = True
    yield
    torch.backends.cudnn.allow_tf32 = False


@pytest.mark.parametrize("batch_size", [16, "auto"])
def test_a_batch_too_large_is_halved_and_nothing_is_lost(
    batch_size, hungry, gpu, caplog, monkeypatch
):
    monkeypatch.setattr("zoo.inference.batch_limit.AUTO_PIXELS", {"cuda": 16 * 640 * 640, "cpu": 1})
    detector, bytes_of_one = hungry
    images = [scene(640, 640, seed=number) for number in range(32)]
    expected = detector.detect(images, batch_size=1, score=0.0, max_boxes=30, progress=False)
    sizes = []
    caplog.set_level(logging.INFO, "zoo")
    with (
        detector.register_forward_pre_hook(lambda _, args: sizes.append(len(args[0]))),
        room(gpu, 5 * bytes_of_one),
    ):
        found = detector.detect(
            images, batch_size=batch_size, score=0.0, max_boxes=30, progress=False
        )
    assert sizes[0] == 16, sizes
    assert 1 <= sizes[-1] <= 8, f"batches of {sizes}, {bytes_of_one / MB:.0f} MB an image"
    assert [one.source for one in found] == [one.source for one in expected]
    apart = [
        difference(one, other)
        for one, other in zip(found, expected, strict=True)
        if not agree(one, other)
    ]
    assert apart == []
    told = [record for record in caplog.records if "does not hold" in record.message]
    assert {record.levelno for record in told} == {
        logging.INFO if batch_size == "auto" else logging.WARNING
    }
    assert "cuda:0" in told[0].message
    assert "batch_size=" in told[0].message


@pytest.mark.usefixtures("_usual_convolutions")
def test_an_image_that_alone_is_too_large_says_so_and_costs_only_itself(make, gpu):
    detector = make("fasterrcnn_resnet50_fpn", gpu)
    bytes_of_one = peak(detector, [scene(640, 640)])
    with room(gpu, bytes_of_one // 8), pytest.raises(ImageError) as caught:
        detector.detect([scene(640, 640)] * 2, batch_size=2, progress=False)
    assert "'image 0', 640 x 640 pixels" in caught.value.failure
    assert "There is not enough memory: CUDA out of memory" in caught.value.case
    assert "smaller" in caught.value.fix
    again = detector.detect([scene(640, 640)], progress=False)
    assert len(again) == 1, "after the error the detector works on"


def test_an_automatic_batch_is_smaller_where_little_is_free(gpu):
    gc.collect()
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info(gpu)
    most = BatchLimit("auto", gpu)((640, 640))
    held = torch.empty(free - 1024 * MB, dtype=torch.uint8, device=gpu)
    try:
        assert 1 <= BatchLimit("auto", gpu)((640, 640)) < max(most, 2)
    finally:
        del held
        torch.cuda.empty_cache()
    assert BatchLimit("auto", gpu)((640, 640)) == most


@pytest.mark.usefixtures("_usual_convolutions")
@pytest.mark.parametrize("name", ["yolox_s", "fasterrcnn_resnet50_fpn"])
def test_an_automatic_batch_fits_with_room_to_spare(name, make, gpu):
    detector = make(name, gpu)
    height, width = detector.input_size(640, 640)
    count = BatchLimit("auto", gpu)((height, width))
    per_pixel = peak(detector, [scene(640, 640, seed=number) for number in range(count)]) / (
        count * height * width
    )
    assert per_pixel < PIXEL_BYTES, f"{per_pixel:.0f} bytes an input pixel in batches of {count}"


def test_memory_is_let_go_of_after_detecting(make, gpu):
    detector = make("fasterrcnn_mobilenet_v3_large_320_fpn", gpu)
    images = [scene(480, 640, seed=number) for number in range(8)]
    detector.detect(images, progress=False)
    gc.collect()
    held = torch.cuda.memory_allocated(gpu)
    for _ in range(5):
        detector.detect(images, progress=False)
    gc.collect()
    assert torch.cuda.memory_allocated(gpu) == held
    del detector
    gc.collect()
    assert torch.cuda.memory_allocated(gpu) < held
