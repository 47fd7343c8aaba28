"""One type for data sets: images, ground truth, named splits, and targets to train from."""

import io
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from zoo.contract import Target
from zoo.data import Dataset, GroundTruth, ImageRecord
from zoo.errors import NameNotFound


def made(*, splits: dict[str, list[int]] | None = None, empty: bool = False) -> Dataset:
    """Three images in memory, the middle one without boxes."""
    boxes = {
        "image": ["c", "a", "a"],
        "label": [1, 0, 1],
        "box": [[0.1, 0.2, 3.3, 4.4], [1, 2, 5, 6], [2, 2, 2.5, 2]],
        "area": [3.0, 16.0, 0.0],
        "crowd": [0, 1, 0],
        "id": [7, 8, 9],
        "difficult": [True, False, False],
    }
    if empty:
        boxes = {name: [] for name in ("image", "label", "box")}
    images = {"id": ["a", "b", "c"], "night": [0, 1, 1]}
    truth = GroundTruth.of(images, boxes, label_space=["cat", "dog"])
    records = tuple(
        ImageRecord(name, Path(f"{name}.png"), 8 + number, 6, content=png(8 + number))
        for number, name in enumerate("abc")
    )
    rows = {name: np.array(given) for name, given in (splits or {}).items()}
    return Dataset("three", records, truth, split_rows=rows)


def png(width: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, 6), (width, 20, 30)).save(file, format="PNG")
    return file.getvalue()


def test_a_target_is_in_corners_and_has_what_is_known() -> None:
    target = made().target(0)
    assert isinstance(target, Target)
    assert target.boxes.tolist() == [[1, 2, 5, 6], [2, 2, 2.5, 2]]
    assert target.boxes.dtype == torch.float32
    assert target.labels.tolist() == [0, 1]
    assert target.crowd is not None
    assert target.crowd.tolist() == [True, False]
    assert target.area is not None
    assert target.area.tolist() == [16, 0]
    assert target.ids is not None
    assert target.ids.tolist() == [8, 9]
    assert target.masks is None
    assert torch.equal(made().target(-1).boxes, torch.tensor([[0.1, 0.2, 3.3, 4.4]]))


@pytest.mark.parametrize("empty", [True, False])
def test_an_image_without_boxes_has_a_target_of_none(empty: bool) -> None:
    target = made(empty=empty).target(1)
    assert (target.boxes.shape, target.labels.shape) == ((0, 4), (0,))
    assert (target.boxes.dtype, target.labels.dtype) == (torch.float32, torch.int64)


def test_a_target_does_not_share_its_memory_with_the_ground_truth() -> None:
    data = made()
    target = data.target(0)
    for column in (target.boxes, target.labels, target.crowd, target.area, target.ids):
        assert column is not None
        column.zero_()
    assert data.target(0).boxes.tolist() == [[1, 2, 5, 6], [2, 2, 2.5, 2]]
    assert data.truth.ids.tolist() == [8, 9, 7]
    assert data.truth.crowd.tolist() == [True, False, False]


def test_indexing_gives_the_image_and_its_target_and_ends() -> None:
    data = made()
    pixels, target = data[2]
    assert pixels.shape == (3, 6, 10)
    assert pixels[:, 0, 0].tolist() == [10, 20, 30]
    assert target.ids is not None
    assert target.ids.tolist() == [7]
    assert [pixels.shape[2] for pixels, _ in data] == [8, 9, 10]
    with pytest.raises(IndexError):
        data[3]
    with pytest.raises(IndexError):
        data.target(3)


def test_the_workers_of_a_data_loader_read_it() -> None:
    data = made()
    loader = DataLoader(
        data,  # type: ignore[arg-type]  # a length and an index are all that it uses
        batch_size=2,
        num_workers=1,
        collate_fn=list,
        multiprocessing_context="spawn",
    )
    samples = [sample for batch in loader for sample in batch]
    for (pixels, target), (same_pixels, same_target) in zip(samples, data, strict=True):
        assert torch.equal(pixels, same_pixels)
        assert torch.equal(target.boxes, same_target.boxes)


def test_a_data_set_survives_pickling(street: Dataset) -> None:
    rows = {"val": np.array([0, 3])}
    data = Dataset(street.name, street.images, street.truth, street.notes, rows)
    copy = pickle.loads(pickle.dumps(data))
    assert (copy.sha256, copy.images_sha256) == (data.sha256, data.images_sha256)
    assert copy.splits["val"].images[1] == data.images[3]


def test_a_split_is_a_data_set_of_its_images() -> None:
    data = made(splits={"val": [2, 0], "test": [1], "spare": []})
    assert list(data.splits) == ["val", "test", "spare"]
    val = data.splits["val"]
    assert (val.name, len(val)) == ("three/val", 2)
    assert [record.id for record in val.images] == ["a", "c"]
    assert val.truth.ids.tolist() == [8, 9, 7]
    assert val.truth.image_attributes["night"].tolist() == [0, 1]
    assert val.truth.box_attributes["difficult"].tolist() == [False, False, True]
    assert torch.equal(val[1][0], data[2][0])
    assert torch.equal(val.target(1).boxes, data.target(2).boxes)
    assert val.splits == {}
    assert len(data.splits["spare"]) == 0
    assert repr(data) == "Dataset(three: 3 images, 3 boxes, 2 classes; splits val, test, spare)"


def test_a_split_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(NameNotFound, match=r"No split named 'vall'(.|\n)*Did you mean 'val'"):
        made(splits={"val": [0], "train": [1]}).splits["vall"]
    with pytest.raises(NameNotFound, match="no splits"):
        made().splits["val"]
    assert made().splits == {}


def test_a_subset_has_the_fingerprint_of_a_data_set_of_these_images() -> None:
    data = made()
    alone = GroundTruth.of(
        ["c"],
        {"image": ["c"], "label": [1], "box": [[0.1, 0.2, 3.3, 4.4]], "area": [3], "id": [7]},
        label_space=["cat", "dog"],
    )
    assert data.subset([2]).sha256 == alone.sha256
    assert data.subset(np.array([False, False, True])).sha256 == alone.sha256
    assert data.subset([0, 1, 2]).sha256 == data.sha256


@pytest.mark.parametrize("rows", [[3], [-1], [0.5], ["a"], [True, False]])
def test_rows_that_are_no_images_are_refused(rows: list) -> None:
    with pytest.raises(ValueError, match="positions of 3 images"):
        made().subset(rows)
    with pytest.raises(ValueError, match="positions of 3 images"):
        made(splits={"val": rows})


def test_images_are_those_of_the_ground_truth_in_its_order() -> None:
    data = made()
    with pytest.raises(ValueError, match="one ImageRecord for each"):
        Dataset("three", data.images[::-1], data.truth)


def test_the_contents_of_images_in_memory_are_in_the_fingerprint(tmp_path: Path) -> None:
    data = made()
    for record in data.images:
        assert record.content is not None
        (tmp_path / record.path).write_bytes(record.content)
    records = tuple(
        ImageRecord(record.id, tmp_path / record.path, record.width, record.height)
        for record in data.images
    )
    assert Dataset("three", records, data.truth).images_sha256 == data.images_sha256


def test_reading_a_data_set_imports_no_torch(street: Dataset) -> None:
    assert isinstance(street.images[0].path, Path)
    file = street.images[0].path.parent.parent / "instances.json"
    code = f"import sys, zoo.data; d = zoo.data.read({str(file)!r}); d.sizes, d.sha256, d.splits; "
    code += "d.images_sha256; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
