"""Images reach the device through page-locked memory without blocking, and none is mixed up with
another."""

from __future__ import annotations

import PIL.Image
import pytest
import torch

from zoo.images import Image
from zoo.inference.prefetch import prefetch
from zoo.testing.conformance.images import scene


@pytest.fixture
def files(tmp_path):
    """48 image files of one size, each with its number as its only color."""
    paths = []
    for number in range(48):
        path = tmp_path / f"{number:02}.png"
        PIL.Image.new("RGB", (160, 120), (5 * number, 255 - 5 * number, number)).save(path)
        paths.append(path)
    return paths


def test_what_is_read_ahead_is_page_locked(gpu, files):
    read = list(_read_ahead(files, pin=True))
    assert all(isinstance(one, Image) for one in read)
    assert {one.pixels.is_pinned() for one in read} == {True}
    assert {one.pixels.is_pinned() for one in _read_ahead(files[:2], pin=False)} == {False}


def _read_ahead(files, *, pin):
    from zoo.images import Limits

    return prefetch(files, exif="apply", threads=4, ahead=16, pin=pin, limits=Limits.in_force(None))


def test_every_image_arrives_as_itself(make, files, device):
    detector = make("yolox_nano", device)
    seen = []
    preprocess = detector.preprocess

    class Watched:
        input_size = staticmethod(preprocess.input_size)

        def __call__(self, images, **where):
            seen.extend(image.to("cpu", copy=True)[:, 0, 0].tolist() for image in images)
            return preprocess(images, **where)

    detector.preprocess = Watched()
    for _ in range(3):
        seen.clear()
        detector.detect(files, batch_size=8, threads=8, progress=False)
        assert seen == [[5 * number, 255 - 5 * number, number] for number in range(48)]


def test_a_copy_that_does_not_block_is_the_image(gpu):
    images = [scene(480, 640, seed=number).pin_memory() for number in range(32)]
    there = [image.to(gpu, non_blocking=True) for image in images]
    torch.cuda.synchronize(gpu)
    assert all(torch.equal(one.cpu(), image) for one, image in zip(there, images, strict=True))
