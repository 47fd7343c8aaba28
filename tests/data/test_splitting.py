"""Parts of data sets: drawn by hash, balanced by class, groups together, kept in lists."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.data import Dataset, GroundTruth, ImageRecord, read
from zoo.data.splitting import draw_lists, read_lists, split_rows, with_splits, write_lists
from zoo.errors import DataError, UsageError

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}


def some(count: int, *, rare: int = 0, sites: int = 0, first: int = 0) -> Dataset:
    """Images of two classes, where `rare` have the second one too."""
    ids = [f"{number:05}" for number in range(first, first + count)]
    boxes = {
        "image": ids + ids[:rare],
        "label": [0] * count + [1] * rare,
        "box": [[0, 0, 1, 1]] * (count + rare),
    }
    about = {"id": ids} | ({"site": [number % sites for number in range(count)]} if sites else {})
    truth = GroundTruth.of(about, boxes, label_space=["cat", "dog"])
    records = [
        ImageRecord(one, Path(f"x{number // 10}/{one}.jpg")) for number, one in enumerate(ids)
    ]
    return Dataset("some", records, truth)


def ids(data: Dataset) -> set[object]:
    return set(data.truth.image_ids.tolist())


@given(st.integers(1, 300), st.integers(0, 99), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_every_image_is_in_one_part_and_images_added_later_move_none(
    count: int, seed: int, weights: list[int]
) -> None:
    shares = {f"part{row}": weight / sum(weights) for row, weight in enumerate(weights)}
    before = some(count).split(seed=seed, **shares)
    after = some(count * 2).split(seed=seed, **shares)
    assert sum(map(len, before)) == count
    assert set().union(*map(ids, before)) == ids(some(count))
    for one, other in zip(before, after, strict=True):
        assert ids(one) <= ids(other)


def test_parts_have_about_their_share_and_seeds_draw_others() -> None:
    data = some(4000)
    train, val, test = data.split(**SHARES)
    assert [round(len(part) / 4000, 1) for part in (train, val, test)] == [0.8, 0.1, 0.1]
    assert (train.name, len(train.split_rows)) == ("some/train", 0)
    assert ids(val) != ids(data.split(**SHARES, seed=1)[1])
    here = sorted(ids(some(9).split(train=0.5, val=0.5)[0]), key=str)
    assert here == ["00001", "00003", "00005", "00008"]  # on every machine


def test_stratified_parts_have_their_share_of_a_rare_class() -> None:
    data = some(400, rare=20)
    parts = data.split(**SHARES, stratify=True)
    assert [int((part.truth.labels == 1).sum()) for part in parts] == [16, 2, 2]
    assert [len(part) for part in parts] == [320, 40, 40]


@pytest.mark.parametrize(
    ("group_by", "groups"), [("site", 7), ("folder", 20), (r"(\d\d)\.jpg", 100)]
)
@pytest.mark.parametrize("stratify", [False, True])
def test_groups_stay_together(group_by: str, groups: int, stratify: bool) -> None:
    data = some(200, rare=30, sites=7)
    rows = split_rows(data, SHARES, group_by=group_by, stratify=stratify)
    names = {
        "site": lambda row: row % 7,
        "folder": lambda row: row // 10,
    }.get(group_by, lambda row: row % 100)
    found = [{names(row) for row in part.tolist()} for part in rows.values()]
    assert sum(map(len, found)) == len(set().union(*found)) == groups


def test_a_group_stays_where_it_is_when_it_grows() -> None:
    few, many = some(50, sites=5), some(200, sites=5)
    before = few.split(**SHARES, group_by="site")
    after = many.split(**SHARES, group_by="site")
    for one, other in zip(before, after, strict=True):
        assert ids(one) <= ids(other)


def test_near_duplicates_stay_together() -> None:
    rows = split_rows(some(100), SHARES, together=[[0, 1], [1, 2], [40, 60]])
    for group in ({0, 1, 2}, {40, 60}):
        assert sum(bool(group & set(part.tolist())) for part in rows.values()) == 1


@pytest.mark.parametrize("stratify", [False, True])
def test_lists_are_written_and_kept_to(tmp_path: Path, stratify: bool) -> None:
    old = with_splits(some(60, rare=9), split_rows(some(60), SHARES, seed=3))
    write_lists(old, tmp_path / "lists")
    data = some(90, rare=20)
    kept = read_lists(data, tmp_path / "lists")
    made = with_splits(data, split_rows(data, SHARES, keep=kept, stratify=stratify))
    for name, part in old.splits.items():
        assert ids(part) <= ids(made.splits[name])
    assert sum(map(len, made.splits.values())) == 90
    assert (tmp_path / "lists" / "val.txt").read_text().splitlines() == [
        f"x{int(str(one)) // 10}/{one}.jpg" for one in sorted(ids(old.splits["val"]), key=str)
    ]


def test_lists_of_other_images_are_refused(tmp_path: Path) -> None:
    data = some(5)
    assert read_lists(data, tmp_path, missing_ok=True) == {}
    with pytest.raises(DataError, match=r"No list is there(.|\n)*zoo data split"):
        read_lists(data, tmp_path)
    (tmp_path / "train.txt").write_text("x0/00001.jpg\ngone.jpg\n")
    with pytest.raises(DataError, match=r"1 of the images in train\.txt are not in some"):
        read_lists(data, tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train": 0.8}, "add up to 0.8"),
        ({"train": 1.0, "val": 0.0}, "Each is above 0"),
        ({}, "No shares were given"),
        ({"train": 1.0, "group_by": "sit"}, "Did you mean 'site'"),
        ({"train": 1.0, "group_by": "(x"}, "It is not a pattern"),
        ({"train": 1.0, "group_by": r"\(x"}, "It has no group"),
        ({"train": 1.0, "group_by": "(qq)"}, "It is in no name"),
    ],
)
def test_shares_and_groups_that_can_not_be_are_refused(
    settings: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        some(9, sites=2).split(**settings)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="Give night a share"):
        split_rows(some(9), SHARES, keep={"night": [0]})


def test_many_images_are_split_in_seconds() -> None:
    rows = split_rows(some(20_000, rare=500), SHARES, stratify=True)
    assert [len(part) for part in rows.values()] == [16_000, 2_000, 2_000]


def test_real_lists_are_read_behind_a_comma(shared: Path, tmp_path: Path) -> None:
    home = shared / "bccd_voc" / "BCCD"
    data = read(home)
    write_lists(with_splits(data, split_rows(data, SHARES, stratify=True)), tmp_path)
    again = read(f"voc:{home},splits={tmp_path}")
    assert list(again.splits) == ["train", "val", "test"]
    assert sum(map(len, again.splits.values())) == 364
    val = read(f"voc:{home},splits={tmp_path},split=val")
    np.testing.assert_array_equal(val.truth.image_ids, again.splits["val"].truth.image_ids)


def test_lists_of_all_images_stay_and_other_settings_are_refused(tmp_path: Path) -> None:
    data, folder = some(60, rare=9), tmp_path / "lists"
    assert (draw_lists(data, folder, SHARES).kept, len(list(folder.iterdir()))) == (0, 3)
    before = {file: file.read_bytes() for file in folder.iterdir()}
    again = draw_lists(data, folder, SHARES)
    assert (again.kept, again.placed) == (60, 0)
    for shares, seed in (({"train": 0.3, "val": 0.3, "test": 0.4}, 0), (SHARES, 1)):
        with pytest.raises(UsageError, match=r"name every image already, \d\d in train(.|\n)*-2"):
            draw_lists(data, folder, shares, seed=seed)
    assert {file: file.read_bytes() for file in folder.iterdir()} == before
    assert draw_lists(some(70, rare=9), folder, SHARES).placed == 10


def test_balanced_lists_that_grew_with_their_data_are_as_good_as_drawn_at_once(
    tmp_path: Path,
) -> None:
    for count in (60, 90, 90):
        drawn = draw_lists(some(count, rare=9), tmp_path, SHARES, stratify=True)
    assert (drawn.kept, drawn.placed) == (90, 0)
    with pytest.raises(UsageError, match="name every image already"):
        draw_lists(some(90, rare=9), tmp_path, {"train": 0.5, "val": 0.3, "test": 0.2})
