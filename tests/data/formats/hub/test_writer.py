"""Folders to upload, held against the package `datasets`, which reads them as the Hub does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zoo.data import Dataset, convert, read, write
from zoo.errors import DataError


@pytest.mark.slow
def test_the_hubs_own_package_reads_what_is_written(
    scenes: Dataset, folder: Path, tmp_path: Path
) -> None:
    import datasets

    datasets.disable_progress_bars()
    found = datasets.load_dataset(str(folder), cache_dir=str(tmp_path))
    assert set(found) == {"train", "val", "test"}
    space = scenes.label_space.names
    for split, part in scenes.splits.items():
        rows = {row["image_id"]: row for row in found[split]}
        assert sorted(rows) == part.truth.image_ids.tolist()
        for at, image_id in enumerate(part.truth.image_ids.tolist()):
            boxes = part.truth.rows(at)
            row = rows[image_id]
            assert row["objects"]["bbox"] == part.truth.xywh[boxes].tolist()
            assert row["objects"]["category"] == [space[one] for one in part.truth.labels[boxes]]
            pixels = np.asarray(row["image"].convert("RGB")).transpose(2, 0, 1)
            assert np.array_equal(pixels, part.image(at).pixels.numpy())


def test_images_lie_with_their_split_and_without_splits_in_one_folder(
    scenes: Dataset, folder: Path, tmp_path: Path
) -> None:
    assert sorted(one.name for one in folder.iterdir()) == ["README.md", "test", "train", "val"]
    alone = scenes.splits["val"]
    made = convert(alone, f"hub-folder:{tmp_path / 'alone'}", show=False)
    assert made.losses == ()
    assert sorted(one.name for one in (tmp_path / "alone").iterdir()) == ["README.md", "images"]
    assert read(tmp_path / "alone").sha256 == alone.sha256  # its form is recognised


def test_boxes_are_read_in_the_form_that_is_declared(scenes: Dataset, tmp_path: Path) -> None:
    truth = scenes.truth
    odd = replace(truth, xywh=truth.xywh + np.array([500, 500, 600, 600]))  # as corners, possible
    data = replace(scenes, truth=odd)
    write(data, f"hub-folder:{tmp_path}")
    again = read(f"hub-folder:{tmp_path}")
    assert np.array_equal(again.truth.xywh, odd.xywh)
    assert not any("Boxes are read" in note for note in again.notes)


def test_what_the_hub_has_no_place_for_is_refused(scenes: Dataset, tmp_path: Path) -> None:
    both = replace(scenes, split_rows={"a": np.array([0, 1]), "b": np.array([1])})
    with pytest.raises(DataError, match=r"is in several splits|is in no split"):
        write(both, f"hub-folder:{tmp_path / 'a'}")
    named = replace(scenes, split_rows={"a b": np.arange(len(scenes))})
    with pytest.raises(DataError, match=r"not called 'a b'"):
        write(named, f"hub-folder:{tmp_path / 'a'}")
    attributes = {"id": np.zeros(len(scenes.truth.labels))}
    other = replace(scenes, truth=replace(scenes.truth, box_attributes=attributes))
    with pytest.raises(DataError, match=r"attribute is called 'id'"):
        write(other, f"hub-folder:{tmp_path / 'a'}")
