"""Which size boxes are of, where the file of an image has another one than its annotations say."""

from pathlib import Path

import pytest

from zoo.data import Dataset, GroundTruth, ImageRecord
from zoo.data.box_frames import BoxFrame, box_frames
from zoo.data.image_scan import ImageFacts

Size = tuple[int, int]
HD, FULL, SMALL = (1280, 720), (1920, 1080), (640, 360)


def frames_of(images: list[tuple[Size, Size, list[list[float]]]]) -> dict[int, BoxFrame]:
    """images: the declared and the actual size of each, and its boxes, xyxy."""
    boxes = {
        "image": [row for row, image in enumerate(images) for _ in image[2]],
        "label": [0 for image in images for _ in image[2]],
        "box": [box for image in images for box in image[2]],
    }
    truth = GroundTruth.of(list(range(len(images))), boxes, label_space=["cat"])
    records = [ImageRecord(row, Path(f"{row}.jpg"), *image[0]) for row, image in enumerate(images)]
    return box_frames(Dataset("some", records, truth), [ImageFacts("", one[1]) for one in images])


@pytest.mark.parametrize(
    ("declared", "actual", "right", "bottom", "frame"),
    [
        (HD, SMALL, 1200, 700, "declared"),  # the file was made smaller
        (HD, FULL, 1900, 1000, "file"),  # a wrong header
        (HD, FULL, 1280, 700, "declared"),  # cut off at the edge of the image before it was resized
        (HD, SMALL, 500, 360, "file"),  # cut off at the edge of the file
        (HD, FULL, 600, 500, "either"),
        (HD, SMALL, 600, 300, "either"),
        (HD, SMALL, 1320, 300, "neither"),
        (HD, (640, 640), 1200, 700, "reshaped"),
        ((720, 1280), HD, 1200, 700, "file"),  # width and height swapped
        ((500, 375), (500, 374), 500, 375, "file"),  # nearly one
        ((1001, 667), (500, 333), 900, 600, "declared"),  # a rounded half
        (HD, SMALL, 0.9, 0.8, "file"),  # fractions are of any size
    ],
)
def test_the_boxes_say_which_size_they_are_of(
    declared: Size, actual: Size, right: float, bottom: float, frame: BoxFrame
) -> None:
    assert frames_of([(declared, actual, [[0.1, 0.1, right, bottom]])]) == {0: frame}


def test_an_image_without_boxes_has_the_size_of_its_file() -> None:
    assert frames_of([(HD, SMALL, []), (HD, HD, [])]) == {0: "file"}


def test_other_images_of_the_same_two_sizes_tell_where_no_box_of_an_image_does() -> None:
    telling, doubtful = [[0, 0, 1200, 700.0]], [[0, 0, 600, 300.0]]
    assert frames_of([(HD, SMALL, doubtful), (HD, SMALL, telling)]) == dict.fromkeys(
        (0, 1), "declared"
    )
    other = frames_of([(HD, SMALL, doubtful), (FULL, SMALL, telling)])
    assert other == {0: "either", 1: "declared"}
    at_odds = [(HD, SMALL, doubtful), (HD, SMALL, telling), (HD, SMALL, [[0, 0, 640, 300.0]])]
    assert frames_of(at_odds) == {0: "either", 1: "declared", 2: "file"}
