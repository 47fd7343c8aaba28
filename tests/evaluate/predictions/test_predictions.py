"""Predictions on disk: what goes in comes out, bit by bit."""

from pathlib import Path

import numpy as np
import pytest

from zoo.errors import DataError
from zoo.evaluate import Predictions

NAMES = ("red", "green", "blue")


def one(**changes: object) -> Predictions:
    columns = {
        "image_ids": np.array([3, 5]),
        "files": np.array(["a.jpg", "b.jpg"]),
        "sizes": np.array([[6, 8], [6, 8]], np.int32),
        "starts": np.array([0, 0, 2]),
        "boxes": np.array([[0, 0, 2, 2], [1, 1, 3, 3]], np.float32),
        "scores": np.array([0.9, 0.5], np.float32),
        "labels": np.array([0, 2], np.int32),
    }
    return Predictions(**{**columns, **changes}, names=NAMES, provenance={"model": "lamps"})  # type: ignore[arg-type]


def test_images_are_gone_through_one_by_one() -> None:
    nothing, two = one()
    assert (len(nothing.scores), two.scores.tolist(), two.label_space.names) == (
        0,
        [np.float32(0.9), 0.5],
        NAMES,
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"scores": np.array([0.9, np.nan], np.float32)},
            "Image 5, detection 1, has a score outside of 0 to 1",
        ),
        ({"scores": np.array([1.5, 0.5], np.float32)}, "Image 5, detection 0, has a score outside"),
        (
            {"boxes": np.array([[0, 0, np.inf, 2]] * 2, np.float32)},
            "detection 0, has a coordinate that is not finite",
        ),
        (
            {"boxes": np.array([[4, 0, 2, 2]] * 2, np.float32)},
            "detection 0, has a box whose right or lower edge comes first",
        ),
        ({"labels": np.array([0, 3], np.int32)}, "detection 1, has a label that no class has"),
        ({"labels": np.array([-1, 0], np.int32)}, "detection 0, has a label that no class has"),
        ({"image_ids": np.array([5, 5])}, "Image 5 is there twice"),
    ],
)
def test_a_wrong_record_is_named(changes: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        one(**changes)


def test_a_folder_that_can_t_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="Predictions can't be written"):
        one().write(tmp_path / "file" / "seen.parquet")
