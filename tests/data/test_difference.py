"""Differences of two data sets whose images meet by file name, and classes by name."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.data.masked_squares import made
from zoo.data import Dataset, GroundTruth, ImageRecord, read
from zoo.data.difference import difference
from zoo.data.masks import FewerMasks


def some(
    names: str = "ab", classes: tuple[str, ...] = ("cat", "dog"), label: int = 0, x: float = 1.0
) -> Dataset:
    boxes = {"image": [1], "label": [label], "box": [[x, 0, 5, 5]]}
    truth = GroundTruth.of([1, 2], boxes, label_space=classes)
    records = [ImageRecord(row, Path(f"{name}.jpg")) for row, name in enumerate(names, start=1)]
    return Dataset("some", records, truth)


def test_ids_and_the_order_of_classes_are_no_difference() -> None:
    assert difference(some(), some(classes=("dog", "cat"), label=1)) == ""
    assert difference(some(), some(x=1.0005)) == ""
    assert difference(some(classes=("cat",)), some()) == ""


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (some("ac"), "'b.jpg' is gone"),
        (some("aa"), "'b.jpg' is gone"),
        (some("ba"), r"In 'a\.jpg'|In 'b\.jpg'"),
        (some(label=1), "the cat .* became the dog"),
        (some(x=1.01), r"the cat \[1\.0, .* became the cat \[1\.01, "),
    ],
)
def test_the_first_difference_is_said(other: Dataset, message: str) -> None:
    import re

    assert re.search(message, difference(some(), other))


def test_a_box_that_is_gone_is_counted() -> None:
    truth = GroundTruth.of([1, 2], {"image": [], "label": [], "box": []}, label_space=["cat"])
    assert "1 boxes became 0" in difference(some(), Dataset("x", some().images, truth))


def test_masks_that_are_gone_are_counted(tmp_path: Path) -> None:
    data = read(made(tmp_path, first=5))
    assert data.masks is not None
    assert difference(data, data) == ""
    fewer = replace(data, masks=FewerMasks(data.masks, np.array([5])))
    assert difference(data, fewer) == "2 masks became 1."
