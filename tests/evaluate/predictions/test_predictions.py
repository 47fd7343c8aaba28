"""Predictions on disk: what goes in comes out, bit by bit."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zoo.errors import DataError
from zoo.evaluate import Predictions

NAMES = ("red", "green", "blue")


@st.composite
def predictions(draw: st.DrawFn) -> Predictions:
    counts = draw(st.lists(st.integers(0, 4), max_size=5))
    total = sum(counts)
    coordinates = st.floats(0, 1e6, width=32)
    corners = np.sort(draw(arrays(np.float32, (total, 2, 2), elements=coordinates)), axis=1)
    ids = draw(
        st.lists(
            st.integers(-(2**63), 2**63 - 1),
            min_size=len(counts),
            max_size=len(counts),
            unique=True,
        )
    )
    text = draw(st.booleans())
    return Predictions(
        image_ids=np.array([f"image {one}" for one in ids], np.str_)
        if text and ids
        else np.array(ids, np.int64),
        files=np.array([f"ä {one}.jpg" for one in ids], np.str_),
        sizes=draw(arrays(np.int32, (len(counts), 2), elements=st.integers(1, 9000))),
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        boxes=corners.reshape(total, 4),
        scores=draw(arrays(np.float32, total, elements=st.floats(0, 1, width=32))),
        labels=draw(arrays(np.int32, total, elements=st.integers(0, len(NAMES) - 1))),
        names=NAMES,
        provenance={"model": "lamps", "protocol": "uniform"},
    )


@settings(deadline=None, max_examples=50)
@given(predictions())
def test_what_is_written_is_read(made: Predictions) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deep" / "seen.parquet"
        made.write(path)
        read = Predictions.read(path)
        assert [file.name for file in path.parent.iterdir()] == ["seen.parquet"]
    for column in ("image_ids", "files", "sizes", "starts", "boxes", "scores", "labels"):
        ours, theirs = getattr(read, column), getattr(made, column)
        assert (ours.shape, ours.tobytes() if ours.dtype.kind != "U" else ours.tolist()) == (
            theirs.shape,
            theirs.tobytes() if theirs.dtype.kind != "U" else theirs.tolist(),
        )
    assert (read.names, read.provenance, read.path) == (made.names, made.provenance, path)


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
