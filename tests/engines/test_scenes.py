"""Images to compare on: several shapes, and the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from zoo.engines.scenes import images_of, scenes
from zoo.errors import ImageError


def test_scenes_are_the_same_each_time_and_of_several_shapes() -> None:
    assert scenes() is scenes()
    shapes = [tuple(image.shape[-2:]) for image in scenes()]
    height, width = shapes[0]
    assert (2 * height, 2 * width) in shapes
    assert (height, width // 2) in shapes
    assert all(image.is_contiguous() for image in scenes())


def test_images_of_one_s_own_are_files_and_folders(tmp_path: Path) -> None:
    for number, size in enumerate([(8, 6), (6, 8), (4, 4)]):
        Image.new("RGB", size, (number, 0, 0)).save(tmp_path / f"{number}.png")
    images = images_of([str(tmp_path / "2.png"), str(tmp_path)])
    assert [tuple(image.shape) for image in images] == [
        *((3, 4, 4), (3, 6, 8), (3, 8, 6)),
        (3, 4, 4),
    ]
    assert {image.dtype for image in images} == {torch.uint8}


def test_what_is_no_image_is_said(tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        images_of([str(tmp_path / "none.png")])
