"""Images with detections next to the truth."""

from pathlib import Path

import torch
from PIL import Image

from zoo.data import Dataset
from zoo.labels.builtin import space_of
from zoo.testing.toy import Toy
from zoo.train.sheets import draw_detection_sheets, side_by_side


def test_a_sheet_has_the_image_twice(blocks: Dataset, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Toy(space_of(["dark", "bright"]))
    written = draw_detection_sheets(model, blocks, tmp_path / "samples")
    assert len(written) == 4
    height, width = blocks.image(1).size  # the first image has no objects
    with Image.open(written[0]) as sheet:
        assert sheet.size == (2 * width + 8, height)


def test_images_of_other_heights_are_joined_at_their_tops() -> None:
    sheet = side_by_side([Image.new("RGB", (10, 5), "red"), Image.new("RGB", (3, 9), "blue")])
    assert sheet.size == (21, 9)
    assert sheet.getpixel((0, 8)) == (255, 255, 255)
    assert sheet.getpixel((20, 8)) == (0, 0, 255)
