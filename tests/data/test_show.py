"""Contact sheets of a data set."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo import data
from zoo.data import Dataset, GroundTruth
from zoo.data.image_records import ImageRecord
from zoo.data.show import COUNT, drawn_rows, facts_of, legend_of, show
from zoo.draw.gallery import TALLEST
from zoo.draw.palette import color_of
from zoo.draw.sheet import MARGIN, ROW_HEIGHT
from zoo.errors import DataError, NameNotFound, UsageError
from zoo.labels import LabelSpace

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def made(folder: Path, *, images: int, missing: tuple[int, ...] = ()) -> Dataset:
    """Grey images with a box of a second class each, but the first."""
    paths = [folder / f"{number:03}.png" for number in range(images)]
    for number, path in enumerate(paths):
        if number not in missing:
            Image.new("RGB", (120, 90), (128, 128, 128)).save(path)
    boxes = {
        "image": list(range(1, images)),
        "label": [1] * (images - 1),
        "box": [[20, 20, 80, 70]] * (images - 1),
    }
    truth = GroundTruth.of(list(range(images)), boxes, label_space=["vest", "helmet"])
    records = [ImageRecord(number, path, 120, 90) for number, path in enumerate(paths)]
    rows = {"val": np.array([0, 1])} if images > 1 else {}
    return Dataset("site", records, truth, split_rows=rows)


def test_a_sheet_shows_boxes_in_the_colour_of_their_class(tmp_path: Path) -> None:
    sheets = show(made(tmp_path, images=3))
    [image] = sheets.images
    assert sorted(sheets.files) == ["000.png", "001.png", "002.png"]
    pixels = np.asarray(image)
    body = pixels[200:]
    assert (body == color_of(1)).all(axis=2).any()
    assert not (body == color_of(0)).all(axis=2).any()  # no box; its chip is in the legend
    assert (pixels[:200] == color_of(0)).all(axis=2).any()


def test_boxes_are_where_they_are_annotated(tmp_path: Path) -> None:
    [image] = show(made(tmp_path, images=2).subset([1])).images
    scale = TALLEST * ROW_HEIGHT / 90
    lines = (np.asarray(image) == color_of(1)).all(axis=2)
    columns = np.flatnonzero(lines.sum(axis=0) > 20 * scale)  # both sides of the box
    edges = (np.array([columns.min(), columns.max() + 1]) - MARGIN) / scale
    assert np.allclose(edges, [20, 80], atol=1)


def test_many_images_are_on_several_sheets_which_are_numbered(tmp_path: Path) -> None:
    sheets = show(made(tmp_path, images=COUNT + 1), count=COUNT + 1)
    assert sheets.write(tmp_path / "out.jpg") == [tmp_path / "out-1.jpg", tmp_path / "out-2.jpg"]
    with Image.open(tmp_path / "out-1.jpg") as first, Image.open(tmp_path / "out-2.jpg") as last:
        assert first.width == last.width
        assert first.height > last.height


def test_images_are_drawn_by_hash_and_added_ones_move_none(tmp_path: Path) -> None:
    few, more = made(tmp_path, images=40), made(tmp_path, images=50)
    first = drawn_rows(few, 40, 0)
    assert first != sorted(first)
    assert [row for row in drawn_rows(more, 50, 0) if row < 40] == first
    assert drawn_rows(few, 5, 0) == first[:5]
    assert drawn_rows(few, 40, 1) != first


def test_images_that_cannot_be_read_are_said_and_the_others_shown(tmp_path: Path) -> None:
    sheets = show(made(tmp_path, images=3, missing=(1,)))
    [(file, flaw)] = sheets.unreadable
    assert file == "001.png"
    assert flaw
    empty = tmp_path / "empty"
    with pytest.raises(DataError, match=r"None of 3 images can be read\. The first, 00"):
        show(made(empty, images=3, missing=(0, 1, 2)))


def test_what_is_asked_for_has_to_be_there(tmp_path: Path) -> None:
    site = made(tmp_path, images=2)
    with pytest.raises(NameNotFound, match="It has val"):
        show(site, split="train")
    with pytest.raises(UsageError):
        show(site, count=0)
    with pytest.raises(DataError, match="It has no images"):
        show(site.subset([]))


def test_headings_count(tmp_path: Path) -> None:
    site = made(tmp_path, images=3)
    assert facts_of(site) == "3 images, 2 boxes, 2 classes; val 2"
    assert legend_of(site) == [(1, "helmet", 2), (0, "vest", 0)]


def test_boxes_that_leave_their_image_or_have_no_area_are_drawn(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    boxes = {"image": [0] * 3, "label": [0] * 3}
    boxes["box"] = [[-50, -50, 90, 90], [10, 10, 10, 10], [200, 200, 300, 300]]  # type: ignore[assignment]
    truth = GroundTruth.of([0], boxes, label_space=LabelSpace.custom(["vest"]))
    [image] = show(Dataset("site", [ImageRecord(0, tmp_path / "a.png")], truth)).images
    assert (np.asarray(image) == color_of(0)).all(axis=2).any()


@pytest.mark.skipif(not SHARED.exists(), reason="../shared/data is not there")
@pytest.mark.parametrize("name", ["bccd_voc", "fish_voc"])
def test_real_data_is_shown_on_one_wide_sheet(name: str) -> None:
    sheets = data.show(SHARED / name, count=8)
    assert not sheets.unreadable
    assert sheets.images[0].width > sheets.images[0].height > 300
