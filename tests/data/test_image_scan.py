"""Files of images as they are."""

from pathlib import Path

import numpy as np
from PIL import Image

from zoo.data.image_records import ImageRecord
from zoo.data.image_scan import scan_images


def test_each_file_is_there_or_says_why_not(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise).save(tmp_path / "a.jpg", exif=exif)
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:2000])
    (tmp_path / "text.jpg").write_text("no image")
    records = [
        ImageRecord(name, tmp_path / name, root=tmp_path)
        for name in ("a.jpg", "cut.jpg", "text.jpg", "gone.jpg", "../out.jpg")
    ]
    good, cut, text, gone, out = scan_images(records)
    assert (good.flaw, good.size, good.orientation, good.upright) == ("", (80, 60), 6, (60, 80))
    assert good.fields is not None
    assert good.fields.shape == (16, 17)
    assert "truncated" in cut.flaw
    assert "cannot identify" in text.flaw
    assert gone.flaw == "missing"
    assert "leads out of its folder" in out.flaw
    header = scan_images(records[:2], decode=False)
    assert [(one.flaw, one.fields) for one in header] == [("", None), ("", None)]
