"""Corrected copies: nothing is left to find, and every change is listed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.data.damaged import SIZE, damaged, noise
from tests.data.masked_squares import made as masked
from zoo.data import check, read
from zoo.data.finding import CHECKS
from zoo.data.fix import CHANGES, fix, upright_boxes
from zoo.data.image_scan import ImageFacts
from zoo.errors import DataError

Size = tuple[int, int]


@pytest.mark.parametrize("name", ["", "voc:", "yolo:", "csv:"])
def test_a_corrected_copy_has_no_error_left_and_the_source_is_as_it_was(
    tmp_path: Path, name: str
) -> None:
    path = damaged(tmp_path / "site")
    before = {one: one.read_bytes() for one in (tmp_path / "site").iterdir()}
    made = fix(path, check(path), f"{name}{tmp_path / 'made'}")
    again = check(made.written.data)
    assert [one for one in again.findings if CHECKS[one.check][0] == "error"] == []
    assert (tmp_path / "made" / CHANGES).read_text("utf-8").splitlines() == list(made.changes)
    assert {one: one.read_bytes() for one in (tmp_path / "site").iterdir()} == before


def test_each_change_is_what_it_says(tmp_path: Path) -> None:
    path = damaged(tmp_path / "site")
    made = fix(path, check(path), str(tmp_path / "made"))
    data = read(made.written.data)
    boxes = {
        record.path.stem: data.truth.boxes[data.truth.rows(row)].tolist()
        for row, record in enumerate(data.images)
    }
    assert boxes == {
        "good": [[4, 4, 24, 24]],
        "size": [[4, 4, 24, 24]],
        "turned": [[28, 0, 48, 10]],
        "fractions": [[16, 12, 48, 36]],
        "boxes": [[50, 30, 64, 48], [10, 10, 19, 19]],
        "copy": [[4, 4, 24, 24]],
        "records": [[10, 20, 30, 30], [10, 20, 30, 30]],
    }
    sizes = dict(zip(boxes, data.sizes.tolist(), strict=True))
    assert (sizes["size"], sizes["turned"]) == ([80, 60], [48, 64])
    text = "\n".join(made.changes)
    for words in (
        "gone.jpg: the image is left out. There is no such file.",
        "size.jpg: its size is 80 x 60, not 64 x 48. Look at its boxes, which stay: they fit both",
        "turned.jpg: its boxes are turned, as EXIF turns the image.",
        "fractions.jpg: its boxes are fractions, and become pixels.",
        "boxes.jpg: the cat (50, 30, 70, 60) is cut to (50, 30, 64, 48).",
        "boxes.jpg: the cat (70, 5, 79, 14) is left out: it is outside its image",
        "boxes.jpg: the cat (10, 10, 19, 19) is left out: it is there twice.",
        "records.jpg: the cat (30, 30, 10, 20) gets its corners swapped. It ended before it began.",
    ):
        assert words in text


def of_images(folder: Path, images: dict[str, tuple[Image.Image, Size, list[list[int]]]]) -> Path:
    """A COCO file of images with their declared sizes and boxes, x, y, width, height."""
    folder.mkdir(exist_ok=True)
    content: dict[str, Any] = {"images": [], "annotations": [], "categories": [{"id": 1}]}
    content["categories"][0]["name"] = "cat"
    for row, (name, (image, (width, height), boxes)) in enumerate(images.items(), start=1):
        image.save(folder / f"{name}.png")
        about = {"id": row, "file_name": f"{name}.png", "width": width, "height": height}
        content["images"].append(about)
        for box in boxes:
            number = len(content["annotations"]) + 1
            annotation = {"id": number, "image_id": row, "category_id": 1, "bbox": box}
            content["annotations"].append(annotation)
    (folder / "instances.json").write_text(json.dumps(content))
    return folder / "instances.json"


def test_boxes_of_a_resized_image_are_scaled_and_those_that_fit_no_size_go_with_it(
    tmp_path: Path,
) -> None:
    small, square = noise(0).resize((32, 24)), noise(1).resize((40, 40))
    boxes = [[4, 4, 20, 20], [40, 20, 24, 28]]
    images = {
        "small": (small, SIZE, boxes),
        "header": (noise(2), (32, 24), boxes),
        "square": (square, SIZE, boxes),
        "neither": (noise(3).resize((32, 24)), SIZE, [*boxes, [90, 5, 10, 10]]),
    }
    path = of_images(tmp_path / "site", images)
    made = fix(path, check(path), str(tmp_path / "made"))
    data = read(made.written.data)
    assert data.truth.boxes.tolist() == [
        *([2, 2, 12, 12], [20, 10, 32, 24]),
        *([4, 4, 24, 24], [40, 20, 64, 48]),
    ]
    assert data.sizes.tolist() == [[32, 24], [64, 48]]
    assert made.changes == (
        "square.png: the image is left out. It has 40 x 40 pixels, and its boxes are of 64 x 48, "
        "another shape.",
        "neither.png: the image is left out. It has 32 x 24 pixels, and its boxes fit neither "
        "these nor the annotated 64 x 48.",
        "small.png: its size is 32 x 24, and its boxes are scaled: they were of 64 x 48.",
        "header.png: its size is 64 x 48, not 32 x 24.",
    )


@pytest.mark.parametrize("box", [[40, 20, 24, 28], [4, 4, 16, 16], [90, 5, 10, 10]])
def test_a_good_image_stays_where_it_looks_like_one_whose_boxes_are_of_another_size(
    tmp_path: Path, box: list[int]
) -> None:
    images = {
        "good": (noise(0), SIZE, [[4, 4, 20, 20]]),
        "copy": (noise(0).resize((32, 24), Image.Resampling.BOX), SIZE, [box]),
        "other": (noise(1), SIZE, [[4, 4, 20, 20]]),
    }
    path = of_images(tmp_path / "site", images)
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "train.txt").write_text("good.png\n")
    (lists / "test.txt").write_text("copy.png\nother.png\n")
    source = f"coco:{path},splits={lists}"
    found = check(source)
    assert found.counts["leakage"] == 1
    made = fix(source, found, str(tmp_path / "made"))
    assert {name: part.files for name, part in read(made.written.data).splits.items()} == {
        "train": ["good.png"],
        "test": ["other.png"],
    }


def test_masks_of_another_size_than_the_image_are_left_out_and_the_others_stay(
    tmp_path: Path,
) -> None:
    path = masked(tmp_path / "site", first=5)
    for size, left in (((30, 20), 2), ((60, 40), 0)):
        Image.new("RGB", size).save(path.parent / "a.png")
        made = fix(path, check(path), f"coco:{tmp_path / str(left)}")
        masks, ids = read(made.written.data).masks, np.array([5, 6, 7])
        assert masks is not None
        assert masks.exist(ids).sum() == left
        said = "a.png: 2 masks are left out, as of another frame or size." in made.changes
        assert said == (left == 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_are_turned_as_pillow_turns_the_image(orientation: int) -> None:
    from PIL import ImageOps

    pixels = np.zeros((6, 9), np.uint8)
    pixels[1:3, 2:7] = 255
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(image))
    ys, xs = np.nonzero(upright)
    [box] = upright_boxes(np.array([[2.0, 1, 7, 3]]), ImageFacts("", (9, 6), orientation))
    assert box.tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]


def test_a_place_that_can_not_be_is_refused(tmp_path: Path) -> None:
    path = damaged(tmp_path / "site")
    found = check(path, images="none")
    with pytest.raises(DataError, match="Name a folder"):
        fix(path, found, f"coco:{tmp_path / 'a.json'}")
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "x").touch()
    whole = check(path)
    with pytest.raises(DataError, match=r"corrected copy(.|\n)*made' exists already"):
        fix(path, whole, str(tmp_path / "made"))


def test_a_copy_of_a_measured_image_is_left_out_of_train(tmp_path: Path) -> None:
    path = damaged(tmp_path / "site")
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "train.txt").write_text("good.jpg\nsize.jpg\nboxes.jpg\n")
    (lists / "val.txt").write_text("copy.jpg\nturned.jpg\n")
    source = f"coco:{path},splits={lists}"
    found = check(source)
    assert found.counts["leakage"] == 1
    made = fix(source, found, f"voc:{tmp_path / 'made'}")
    assert (
        "good.jpg: the image is left out of train. It looks like copy.jpg of val, which stays."
        in made.changes
    )
    again = check(made.written.data)
    assert "leakage" not in again.counts
    assert {name: len(rows) for name, rows in again.dataset.split_rows.items()} == {
        "train": 2,
        "val": 2,
    }
