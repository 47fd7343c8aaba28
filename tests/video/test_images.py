"""Images become frames: of a folder, a list, a generator, with times of their own or at a rate."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zoo.errors import ImageError, UsageError, VideoError
from zoo.video.clip import Part, VideoWarning
from zoo.video.images import ImageSource

GRAY = np.full((8, 12, 3), 90, np.uint8)


def frames_of(source: object, part: Part | None = None, rate: float | None = None) -> list:
    return list(ImageSource(source, part or Part(), rate=rate).frames())  # type: ignore[arg-type]


def test_a_folder_is_read_in_natural_order_at_its_rate(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        Image.fromarray(GRAY + np.uint8(number)).save(tmp_path / f"frame{number}.png")
    frames = frames_of(str(tmp_path), rate=10)
    assert [int(frame.image[0, 0, 0]) - 90 for frame in frames] == [1, 9, 10]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.2])
    assert [frame.file for frame in frames] == [
        str(tmp_path / f"frame{number}.png") for number in (1, 9, 10)
    ]


@pytest.mark.parametrize("name", ["", "*.png"])
def test_a_folder_or_glob_without_images_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"no file in it|matches no"):
        ImageSource(str(tmp_path / name).rstrip("/"), Part(), rate=None)


def test_frames_of_pixels_are_no_files() -> None:
    assert frames_of([GRAY])[0].file is None


def test_pairs_bring_their_own_times() -> None:
    frames = frames_of([(0.5, GRAY), (0.75, GRAY), (3, GRAY)])
    assert [frame.time for frame in frames] == [0.5, 0.75, 3.0]


@pytest.mark.parametrize(
    "number",
    [np.float32, torch.tensor, np.array, Fraction, Decimal],
    ids=["NumPy", "tensor", "array", "fraction", "decimal"],
)
@pytest.mark.parametrize("pair", [tuple, list])
def test_a_time_may_be_any_real_number_in_a_tuple_or_a_list(pair: type, number: Callable) -> None:
    frames = frames_of([pair((number(0.5), GRAY)), pair((number(0.75), GRAY))])
    assert [frame.time for frame in frames] == [0.5, 0.75]


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -0.5, torch.tensor(torch.nan)])
def test_a_time_that_is_none_is_refused(time: object) -> None:
    with pytest.raises(UsageError, match=r"Image 1 was given the time (nan|inf|-0\.5)") as caught:
        frames_of([(0, GRAY), (time, GRAY)])
    assert caught.value.fix


def test_times_that_go_back_are_counted_and_filled_in() -> None:
    source = ImageSource([(1.0, GRAY), (0.5, GRAY)], Part(), rate=None)
    assert [frame.time for frame in source.frames()] == pytest.approx([1.0, 1.04])
    assert source.losses.counts["times"] == 1


def test_a_generator_is_pulled_one_by_one_and_only_as_far_as_wanted() -> None:
    pulled = []

    def images():
        for index in range(100):
            pulled.append(index)
            yield GRAY

    frames = ImageSource(images(), Part(every=2, end=0.4), rate=None).frames()
    assert next(frames).index == 0
    assert len(pulled) <= 3
    assert [frame.index for frame in frames] == [2, 4, 6, 8]
    assert len(pulled) <= 12


def test_an_image_that_can_t_be_read_is_left_out_and_counted(tmp_path: Path) -> None:
    for number in range(3):
        Image.fromarray(GRAY).save(tmp_path / f"{number}.png")
    (tmp_path / "1.png").write_bytes(b"no image")
    source = ImageSource(str(tmp_path), Part(), rate=None)
    with pytest.warns(VideoWarning, match=r"1\.png"):
        frames = list(source.frames())
    assert [frame.index for frame in frames] == [0, 2]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.08])
    assert source.losses.counts["images"] == 1


@pytest.mark.filterwarnings("ignore::zoo.video.clip.VideoWarning")
@pytest.mark.parametrize(
    ("count", "said"), [(1, "Its image can't be read"), (3, "None of its 3 images can be read")]
)
def test_images_none_of_which_can_be_read_are_no_video(count: int, said: str) -> None:
    with pytest.raises(VideoError, match=rf"{said}.*'image 0'.*200") as caught:
        frames_of([np.full((8, 12, 3), 200.0)] * count)
    assert "uint8" in caught.value.fix


def test_a_part_without_images_is_empty_and_no_error() -> None:
    assert frames_of([GRAY], Part(start=5)) == []


@pytest.mark.parametrize("rate", [0, -1, float("nan"), "fast"])
def test_a_rate_that_is_none_is_refused(rate: object) -> None:
    with pytest.raises(UsageError, match="rate="):
        ImageSource([GRAY], Part(), rate=rate)  # type: ignore[arg-type]
