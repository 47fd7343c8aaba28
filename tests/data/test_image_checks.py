"""Files that are not what the annotations say."""

from pathlib import Path

import numpy as np
import pytest

from zoo.data import Dataset, GroundTruth, ImageRecord
from zoo.data.image_checks import file_findings, frame_of, leaks, lookalikes
from zoo.data.image_scan import ImageFacts


def test_the_frame_of_boxes_is_what_the_annotated_size_says() -> None:
    turned = ImageFacts("", (40, 30), 6)
    assert frame_of(turned, (30.0, 40.0)) == "upright"
    assert frame_of(turned, (40.0, 30.0)) == "stored"
    assert frame_of(turned, (np.nan, np.nan)) == "unknown"
    assert frame_of(ImageFacts("", (40, 30), 3), (40.0, 30.0)) == "unknown"


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (ImageFacts("", (40, 30)), []),
        (ImageFacts("missing"), ["missing_image"]),
        (ImageFacts("OSError: x"), ["unreadable_image"]),
        (ImageFacts("", (30, 40)), ["image_size"]),
        (ImageFacts("", (30, 40), 8), ["turned_image"]),
        (ImageFacts("", (33, 44), 8), ["turned_image", "image_size"]),
    ],
)
def test_each_flaw_of_a_file_is_a_finding(facts: ImageFacts, found: list[str]) -> None:
    truth = GroundTruth.of([1], {"image": [], "label": [], "box": []}, label_space=["cat"])
    data = Dataset("some", [ImageRecord(1, Path("a.jpg"), 40, 30)], truth)
    assert [one.check for one in file_findings(data, [facts])] == found
    assert lookalikes(data, [facts]) == []


def test_of_a_pair_in_two_splits_the_image_that_is_not_measured_goes() -> None:
    same, other = np.random.default_rng(0).integers(0, 256, (2, 16, 17), dtype=np.uint8)
    count = 7
    truth = GroundTruth.of(range(count), {"image": [], "label": [], "box": []}, label_space=["cat"])
    records = [ImageRecord(row, Path(f"{row}.jpg"), 40, 30) for row in range(count)]
    splits = {"train": [0, 1, 6], "val": [2], "test": [3], "extra": [5]}
    rows = {name: np.array(members) for name, members in splits.items()}
    data = Dataset("some", records, truth, (), rows)
    facts = [ImageFacts("", (40, 30), 1, other if row == 6 else same) for row in range(count)]
    out = leaks(data, facts)
    assert set(out) == {0, 1, 2, 4, 5}  # 3 is of test, and 6 is another image
    assert {out[row] for row in out} <= {0, 1, 2, 3}
    kept = data.subset([3, 6])
    assert leaks(kept, [facts[3], facts[6]]) == {}
    assert leaks(data, [ImageFacts("", (40, 30))] * count) == {}
