"""Columns of many images, joined: the short way and the long one give the same."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from zoo.errors import DataError
from zoo.evaluate import Evaluator
from zoo.evaluate.coco.detection_columns import (
    columns_of_one_kind,
    columns_one_by_one,
    unpad,
)


@pytest.mark.parametrize(
    "counts",
    [
        [[True, False], [True, True]],
        [True, False],
        [1, 4],
        [1, -1],
        [1, 1.5],
        [1, True, 1],
        [1],
        1,
        ["one", 1],
    ],
)
def test_counts_that_do_not_fit_are_refused(truth, counts) -> None:
    padded = {
        "boxes": np.ones((2, 3, 4)),
        "scores": np.ones((2, 3)),
        "labels": np.ones((2, 3), int),
        "counts": counts,
    }
    with pytest.raises(DataError, match="`counts`"):
        Evaluator(truth).update([0, 7], padded)


def images(kind: Any) -> list[dict[str, Any]]:
    """Two detections, none, and one."""
    return [
        {
            "boxes": kind(np.arange(4.0 * count).reshape(count, 4)),
            "scores": kind(np.linspace(0.5, 1, count)),
            "labels": kind(np.arange(count)),
        }
        for count in (2, 0, 1)
    ]


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_images_of_one_kind_are_joined_at_once(kind: Any) -> None:
    short = columns_of_one_kind(images(kind))
    assert short is not None
    counts, (boxes, scores, labels) = short
    assert counts == [2, 0, 1]
    assert (boxes.shape, scores.shape, labels.tolist()) == ((3, 4), (3,), [0, 1, 0])
    same_counts, columns = columns_one_by_one(images(kind), [1, 2, 3])
    assert same_counts == counts
    for ours, theirs in zip((boxes, scores, labels), columns, strict=True):
        assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize(
    "listed",
    [
        images(np.ndarray.tolist),
        [*images(np.asarray), *images(torch.as_tensor)],
        [images(np.asarray)[1]],
        [{"boxes": np.zeros((1, 4)), "scores": np.zeros(1)}],
        [{"boxes": np.zeros((4, 1)), "scores": np.zeros(1), "labels": np.zeros(1)}],
        [{"boxes": np.zeros((1, 4)), "scores": np.array(["a"]), "labels": np.zeros(1)}],
        [],
    ],
    ids=["lists", "two kinds", "nothing", "no labels", "other shapes", "text", "no image"],
)
def test_whatever_else_it_is_takes_the_long_way(listed: list[Any]) -> None:
    assert columns_of_one_kind(listed) is None


def test_lists_and_frames_are_columns_too() -> None:
    lists = {"boxes": [[0, 0, 1, 1]], "scores": [0.5], "labels": [2]}
    frame = {"boxes": pd.DataFrame([[0, 0, 1, 1]]), "scores": pd.Series([0.5]), "labels": [2]}
    for one in (lists, frame):
        counts, (boxes, scores, labels) = columns_one_by_one([one], ["a"])
        assert counts == [1]
        assert (boxes.tolist(), scores.tolist(), labels.tolist()) == ([[0, 0, 1, 1]], [0.5], [2])


def test_half_and_brain_floats_are_widened() -> None:
    for dtype in (torch.float16, torch.bfloat16):
        made = {"boxes": torch.ones(1, 4, dtype=dtype), "scores": torch.ones(1, dtype=dtype)}
        short = columns_of_one_kind([made | {"labels": torch.zeros(1, dtype=torch.int64)}])
        assert short is not None
        assert short[1][0].dtype == np.float32


def test_only_real_rows_of_a_padded_batch_are_taken() -> None:
    batch = {
        "boxes": np.zeros((2, 3, 4)),
        "scores": np.array([[0.9, 0.8, 0], [0.7, 0, 0]]),
        "labels": np.zeros((2, 3), int),
        "counts": torch.tensor([2, 1]),
    }
    assert [one["scores"].tolist() for one in unpad(batch, [1, 2])] == [[0.9, 0.8], [0.7]]
    for counts in ([4, 0], [-1, 0], [True, 0], [0.5, 0], ["x", 0]):
        with pytest.raises(DataError, match=r"image 1 (.|\n)*`counts`"):
            unpad(batch | {"counts": counts}, [1, 2])
