"""`zoo data` from the shell."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.data.masked_squares import made

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


def test_split_writes_lists_and_keeps_to_them(shell: Shell, site: Path) -> None:
    for name in "bcdefgh":
        text = (site / "Annotations" / "a.xml").read_text().replace("a.jpg", f"{name}.jpg")
        (site / "Annotations" / f"{name}.xml").write_text(text)
        Image.effect_noise((20, 10), 99).save(site / "JPEGImages" / f"{name}.jpg")
    to = site.parent / "lists"
    words = [
        "data",
        "split",
        str(site),
        "--to",
        str(to),
        "--train",
        ".5",
        "--val",
        ".5",
        "--test",
        "0",
    ]
    done = shell(*words, "--stratify", "--near-duplicates")
    assert done.code == 0, done.err
    assert done.out.splitlines()[1].split() == ["images", "8", "50.0", "50.0"]
    assert f"{site},splits={to}" in done.err
    assert f"Lists written to {to}." in done.err
    before = (to / "train.txt").read_text()
    done = shell(*words, "--stratify", "--seed", "9", "--json")
    assert json.loads(done.out)["splits"]["train"] == {"images": 4, "boxes": {"helmet": 4}}
    assert (to / "train.txt").read_text() == before
    (site / "Annotations" / "i.xml").write_text((site / "Annotations" / "a.xml").read_text())
    Image.effect_noise((20, 10), 99).save(site / "JPEGImages" / "i.jpg")
    done = shell(*words)
    assert f"1 image was put into the lists in {to}; the others stay where they are." in done.err
    done = shell("data", "split", str(site), "--to", str(to), "--train", ".5")
    assert (done.code, "add up to 0.7" in done.err) == (2, True)
    (site / "JPEGImages" / "a.jpg").write_bytes(b"")
    done = shell(*words, "--near-duplicates")
    assert (done.code, "zoo data check" in done.err) == (2, True)


def test_nothing_is_not_split(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "instances.json"
    file.write_text('{"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}]}')
    done = shell("data", "split", str(file), "--to", str(tmp_path / "lists"))
    assert (done.code, "It has no images." in done.err) == (10, True)
    assert not (tmp_path / "lists").exists()


def test_check_exits_for_ci_and_writes_a_corrected_copy(shell: Shell, site: Path) -> None:
    done = shell("data", "check", str(site))
    assert (done.code, done.out.splitlines()[-1]) == (0, "0 errors and 1 warning.")
    assert "--fix" not in done.err  # nothing of it can be mended
    assert shell("data", "check", str(site), "--strict").code == 1
    xml = site / "Annotations" / "a.xml"
    xml.write_text(xml.read_text().replace("<xmax>4", "<xmax>44"))
    assert (
        "--fix FOLDER writes a corrected copy: 1 change." in shell("data", "check", str(site)).err
    )
    done = shell("data", "check", str(site), "--fix", str(site.parent / "made"))
    assert done.code == 1
    assert "error: outside (1): boxes outside their image" in done.out
    assert "a.jpg: helmet (0, 0, 44, 5) It leaves its image of 20 x 10 pixels." in done.out
    assert f"1 change written with the copy voc:{site.parent / 'made'}" in done.err
    done = shell("data", "check", str(site.parent / "made"), "--json")
    assert (done.code, json.loads(done.out)["counts"]) == (0, {"rare_class": 1})
    again = shell("data", "check", str(site), "--fix", str(site.parent / "made"))
    assert (again.code, "made' exists already" in again.err, again.out) == (10, True, "")
    xml.write_text("<!DOCTYPE a>" + xml.read_text())
    assert "DOCTYPE" in shell("data", "check", str(site)).err


def test_a_corrected_copy_in_another_format_says_which_masks_it_loses(
    shell: Shell, tmp_path: Path
) -> None:
    source = made(tmp_path / "source", first=1)
    Image.new("RGB", (30, 20)).save(tmp_path / "source" / "a.png")
    done = shell("data", "check", str(source), "--fix", f"voc:{tmp_path / 'fixed'}")
    assert "Lost: 2 masks are left out." in done.err.splitlines()


def test_show_writes_a_sheet_where_it_says(
    shell: Shell, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(site.parent)
    done = shell("data", "show", "site")
    assert (done.code, done.out) == (0, "site-sheet.jpg\n")
    with Image.open("site-sheet.jpg") as sheet:
        assert sheet.width == 1800
    done = shell("data", "show", "site", "--recipe", "yolox", "--out", "a.png", "--json")
    assert json.loads(done.out) == {
        "data": "site",
        "split": None,
        "sheets": ["a.png"],
        "images": ["a.jpg"],
        "unreadable": {},
    }
    Path("r.yaml").write_text("augment: []")
    words = ("data", "show", "site", "--recipe", "r.yaml", "--set", "seed=3")
    assert shell(*words).out == "site-augmented.jpg\n"


def test_show_refuses_in_words_and_warns_of_images(shell: Shell, site: Path) -> None:
    to = str(site.parent / "a.jpg")
    for words, code, message in (
        (("--split", "val"), 3, "has no splits"),
        (("--set", "seed=1"), 2, "Add --recipe"),
        (("--recipe", "yolox_nan"), 3, "Did you mean 'yolox_nano'"),
        (("--recipe", "yolox", "--set", "seeed=1"), 2, "seeed"),
        (("--count", "0"), 2, "--count"),
    ):
        done = shell("data", "show", str(site), "--out", to, *words)
        assert (done.code, message in done.err) == (code, True), done.err
        assert "Traceback" not in done.err
    (site / "JPEGImages" / "a.jpg").write_bytes(b"no image")
    done = shell("data", "show", str(site), "--out", to)
    assert (done.code, "Its image, a.jpg" in done.err) == (10, True)
    copy = site / "Annotations" / "b.xml"
    copy.write_text((site / "Annotations" / "a.xml").read_text().replace("a.jpg", "b.jpg"))
    Image.new("RGB", (20, 10)).save(site / "JPEGImages" / "b.jpg")
    done = shell("data", "show", str(site), "--out", to)
    assert (done.code, "a.jpg can't be shown" in done.err) == (1, True)


def test_check_with_a_model_says_what_it_misses(shell: Shell, tmp_path: Path) -> None:
    words = ("data", "check", "shapes:val,count=2", "--images", "none", "--json")
    sheets = tmp_path / "sheets"
    done = shell(*words, "--model", "shapes/yolox_pico", "--sheets", str(sheets))
    assert done.code == 0
    document = json.loads(done.out)
    assert document["errors"] == 0
    assert sheets.is_dir()
    done = shell(*words, "--model", "shapes/yolox_pic")
    assert (done.code, "Did you mean" in done.err) == (3, True)
