"""Contact sheets of findings."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.data.test_show import made
from zoo.data import Check, Finding
from zoo.data.finding_sheets import write_sheets
from zoo.draw.palette import color_of


def test_boxes_found_wrong_are_drawn_and_others_left_out(tmp_path: Path) -> None:
    site = made(tmp_path, images=2)
    findings = (
        Finding("outside", "It leaves.", "001.png", None, (20, 20, 300, 70), "helmet"),
        Finding("outside", "It leaves.", "gone.png", None, (20, 20, 30, 70), "helmet"),
        Finding("rare_class", "1 of 1 boxes is of helmet.", label="helmet"),
    )
    [path] = write_sheets(Check(site, findings), tmp_path / "sheets")
    assert path == tmp_path / "sheets" / "outside.jpg"
    with Image.open(path) as sheet:
        apart = np.abs(np.asarray(sheet).astype(int) - color_of(1)).max(axis=2)
    assert (apart < 40).sum() > 200
