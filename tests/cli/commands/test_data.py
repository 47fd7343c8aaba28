"""`zoo data` from the shell."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Shell = Callable[..., Any]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A VOC folder with one image and a difficult box."""
    folder = tmp_path / "site"
    (folder / "Annotations").mkdir(parents=True)
    (folder / "JPEGImages").mkdir()
    Image.new("RGB", (20, 10)).save(folder / "JPEGImages" / "a.jpg")
    (folder / "Annotations" / "a.xml").write_text(
        "<annotation><filename>a.jpg</filename><size><width>20</width><height>10</height></size>"
        "<object><name>helmet</name><difficult>1</difficult><bndbox><xmin>1</xmin><ymin>1</ymin>"
        "<xmax>4</xmax><ymax>5</ymax></bndbox></object></annotation>"
    )
    return folder


def test_convert_says_what_is_lost(shell: Shell, site: Path) -> None:
    done = shell("data", "convert", str(site), f"yolo:{site.parent / 'made'}")
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        f"1 image and 1 box written, read again and found the same: yolo:{site.parent / 'made'}",
        "Lost: 1 box is no longer difficult.",
    ]
    done = shell("data", "convert", str(site), f"csv:{site.parent / 'a.csv'}", "--json")
    assert json.loads(done.out) == {
        "data": f"csv:{site.parent / 'a.csv'},images={site / 'JPEGImages'}",
        "losses": [],
        "images": 1,
        "boxes": 1,
        "copied": False,
        "checked": True,
    }


def test_convert_refuses_in_words(shell: Shell, site: Path) -> None:
    for to, code, message in (
        (f"voc:{site / 'new'}", 10, "is in the source"),
        (f"yollo:{site.parent / 'new'}", 3, "No 'yollo' among the datasets"),
    ):
        done = shell("data", "convert", str(site), to)
        assert done.code == code
        assert message in done.err
        assert "Traceback" not in done.err
    done = shell("data", "convert", str(site), "voc:x", "--images", "move")
    assert (done.code, "copy" in done.err) == (2, True)
