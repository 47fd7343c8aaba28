"""Images that are measured are not trained on, unless that is asked for, and then it is said."""

import logging
from dataclasses import replace

import pytest

from zoo.data import Dataset
from zoo.errors import DataError
from zoo.train.data import HeldOut, images_of


def ids(dataset: Dataset | None) -> list[int]:
    assert dataset is not None
    return dataset.truth.image_ids.tolist()


def with_splits(blocks: Dataset, **rows: range) -> Dataset:
    return replace(blocks, split_rows=rows)


def test_a_share_is_split_off_by_the_hash_of_ids_and_said_to_be(
    blocks: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    found = images_of(blocks, None, 0.25)
    kept, off = blocks.split(train=0.75, val=0.25)
    assert (ids(found.train), ids(found.validation)) == (ids(kept), ids(off))
    assert sorted(ids(kept) + ids(off)) == ids(blocks)
    assert found.held_out == HeldOut(0.25, 0, tuple(ids(off)))
    assert found.train.name == blocks.name
    assert f"{len(off)} images of 12 were split off" in caplog.text


def test_a_split_train_is_split_when_nothing_else_is_named(blocks: Dataset) -> None:
    found = images_of(with_splits(blocks, train=range(8), test=range(8, 12)), None, 0.25)
    assert sorted(ids(found.train) + ids(found.validation)) == ids(blocks)[:8]


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_declared_splits_are_taken(blocks: Dataset, name: str) -> None:
    found = images_of(with_splits(blocks, train=range(6), **{name: range(6, 12)}), None, 0.5)
    assert (ids(found.train), ids(found.validation)) == (ids(blocks)[:6], ids(blocks)[6:])
    assert found.held_out is None


def test_images_of_other_splits_are_not_trained_on(blocks: Dataset) -> None:
    found = images_of(with_splits(blocks, val=range(3), test=range(3, 6)), None, 0.5)
    assert (ids(found.train), ids(found.validation)) == (ids(blocks)[6:], ids(blocks)[:3])
    with pytest.raises(DataError, match="all in the splits val, test"):
        images_of(with_splits(blocks, val=range(6), test=range(6, 12)), None, 0.5)


def test_where_too_few_images_have_boxes_nothing_is_measured_and_that_is_said(
    blocks: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    found = images_of(blocks.subset([1]), None, 0.1)
    assert (len(found.train), found.validation, found.held_out) == (1, None, None)
    assert "nothing is measured" in caplog.text
    assert images_of(blocks, None, 0.0).validation is None


def test_validation_images_that_are_trained_on_are_said_to_be(
    blocks: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "zoo"):
        images_of(blocks.subset(range(6)), blocks.subset(range(6, 12)), 0.1)
    assert not caplog.text
    images_of(blocks.subset(range(8)), blocks.subset(range(6, 12)), 0.1)
    assert "2 of the 6 validation images" in caplog.text


def test_a_second_process_says_nothing(
    blocks: Dataset, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    assert images_of(blocks, None, 0.25).held_out is not None
    assert not caplog.text


def test_validation_without_an_image_is_refused_before_the_work(blocks: Dataset) -> None:
    with pytest.raises(DataError, match=r"Nothing can be measured on blocks\d/val"):
        images_of(with_splits(blocks, train=range(12), val=range(0)), None, 0.1)
    with pytest.raises(DataError, match="It has no image"):
        images_of(blocks, blocks.subset([]), 0.1)
