"""The images of predictions and those of the data set: other ids, other sizes, other files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.data import Dataset, GroundTruth, ImageRecord
from zoo.errors import DataError
from zoo.evaluate import DataWarning, Predictions, predict


def test_a_run_on_other_images_than_annotated_ends_at_the_first_ones(
    street: Dataset, nano: str, tmp_path: Path
) -> None:
    other = Dataset(
        "street",
        tuple(replace(record, width=record.width + 1) for record in street.images),
        street.truth,
    )
    with pytest.raises(DataError, match="6 of 6 images have another size"):
        predict("yolox_nano", data=other, weights=nano, to=tmp_path)


def test_images_that_were_never_looked_at_are_refused_by_name(
    perfect: Callable[..., Predictions], street: Dataset
) -> None:
    whole = perfect(street)
    kept = whole.starts[5]
    part = {name: getattr(whole, name)[:5] for name in ("image_ids", "files", "sizes")}
    part |= {name: getattr(whole, name)[:kept] for name in ("boxes", "scores", "labels")}
    with pytest.raises(DataError, match="1 of its 6 images was never handed over, among them 6"):
        zoo.evaluate(replace(whole, **part, starts=whole.starts[:6]), data=street)


def test_predictions_for_other_images_are_refused_by_name(
    perfect: Callable[..., Predictions], street: Dataset
) -> None:
    with pytest.raises(DataError, match="Image 101 is not in"):
        zoo.evaluate(perfect(street, image_ids=street.truth.image_ids + 100), data=street)


def test_an_image_of_another_size_is_a_warning_and_most_of_them_an_error(
    perfect: Callable[..., Predictions], street: Dataset
) -> None:
    sizes = np.array([[record.height, record.width] for record in street.images], np.int32)
    sizes[2] = sizes[2, ::-1]
    with pytest.warns(
        DataWarning,
        match=(
            "image 3 is 80 x 140 pixels, annotated as 140 x 80. Sizes are swapped: 1 is turned "
            "upright by EXIF"
        ),
    ):
        zoo.evaluate(perfect(street, sizes=sizes), data=street, resamples=0)
    with pytest.raises(DataError, match="6 of 6 images have another size"):
        zoo.evaluate(perfect(street, sizes=sizes + 1), data=street)


def test_predictions_of_other_files_are_refused_and_of_some_other_files_told(
    perfect: Callable[..., Predictions],
    street: Dataset,
) -> None:
    files = perfect(street).files
    with pytest.raises(
        DataError,
        match=(
            r"no file name agrees; image 1 is 'x0\.png' in the predictions and '0\.png' in the "
            r"data set"
        ),
    ):
        zoo.evaluate(perfect(street, files=np.char.add("x", files)), data=street)
    some = files.astype("U9")
    some[2] = "other.png"
    [note] = zoo.evaluate(perfect(street, files=some), data=street, resamples=0).measured.notes
    assert note.startswith(
        "1 of 6 images has another file name than the predictions say: image 3 is 'other.png'"
    )


@pytest.mark.parametrize(
    "files", [["0.JPG", "1.jpg", "2.webp", "3.png", "4.png", "5.png"], [""] * 6]
)
def test_another_format_or_no_file_name_at_all_is_no_other_image(
    perfect: Callable[..., Predictions], street: Dataset, files: list[str]
) -> None:
    assert (
        zoo.evaluate(
            perfect(street, files=np.array(files)), data=street, resamples=0
        ).measured.notes
        == ()
    )


def test_boxes_marked_to_be_left_out_count_and_that_is_told(
    perfect: Callable[..., Predictions], street: Dataset
) -> None:
    truth = street.truth
    marked = replace(truth, box_attributes={"difficult": np.arange(12) < 3})
    [note] = zoo.evaluate(
        perfect(street), data=Dataset("street", street.images, marked), resamples=0
    ).measured.notes
    assert note.startswith("3 of 12 annotated boxes are marked 'difficult'")


def test_a_data_set_without_images_is_refused(tmp_path: Path) -> None:
    nothing = Dataset(
        "nothing",
        (),
        GroundTruth.of([], {"image": [], "label": [], "box": []}, label_space=["person"]),
    )
    with pytest.raises(DataError, match="It has no image"):
        zoo.evaluate("yolox_nano", data=nothing, weights=False, to=tmp_path)


def test_a_data_set_and_its_ground_truth_have_the_same_images(street: Dataset) -> None:
    with pytest.raises(ValueError, match="one ImageRecord for each"):
        Dataset("mixed up", (ImageRecord(1, Path("1.png")),), street.truth)
