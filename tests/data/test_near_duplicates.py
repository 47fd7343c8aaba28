"""Near-duplicates: found when recompressed, resized or a little brighter, and not by chance."""

import io
from itertools import combinations
from pathlib import Path

import numpy as np
import PIL.Image
from PIL import Image, ImageEnhance

from zoo.data.image_records import ImageRecord
from zoo.data.image_scan import scan_images
from zoo.data.near_duplicates import groups_of, near_duplicates


def scene(seed: int) -> PIL.Image.Image:
    """A smooth random image of 160 x 120."""
    grid = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(grid).resize((160, 120), Image.Resampling.BICUBIC)


def encoded(image: PIL.Image.Image, quality: int = 90) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def pairs_of(*contents: bytes) -> list[tuple[int, int]]:
    records = [ImageRecord(row, Path(f"{row}"), content=one) for row, one in enumerate(contents)]
    fields = [facts.fields for facts in scan_images(records) if facts.fields is not None]
    return near_duplicates(np.stack(fields))


def test_copies_are_found_and_others_are_not() -> None:
    first = scene(0)
    copies = [
        encoded(first),
        encoded(first, 30),
        encoded(first.resize((320, 240))),
        encoded(ImageEnhance.Brightness(first).enhance(1.03)),
    ]
    others = [encoded(scene(seed)) for seed in range(1, 40)]
    assert pairs_of(*copies, *others) == list(combinations(range(4), 2))


def test_another_moment_with_other_light_is_another_image() -> None:
    dark = ImageEnhance.Brightness(scene(0)).enhance(0.6)
    assert pairs_of(encoded(scene(0)), encoded(dark)) == []
    assert near_duplicates(np.zeros((0, 16, 17), np.uint8)) == []


def test_many_black_frames_do_not_take_for_ever() -> None:
    fields = np.zeros((3000, 16, 17), np.uint8)
    pairs = near_duplicates(fields)
    assert [len(group) for group in groups_of(pairs)] == [3000]


def test_pairs_become_groups() -> None:
    assert groups_of([(0, 4), (1, 2), (2, 7), (4, 9)]) == [[0, 4, 9], [1, 2, 7]]
