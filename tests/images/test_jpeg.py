"""Plain JPEGs by a second decoder, held to the bits of the first."""

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

from zoo.errors import ImageError
from zoo.images import read
from zoo.images.jpeg import plain_jpeg

SIZES = [(1, 1), (7, 300), (64, 48), (333, 217)]


def encoded(size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object) -> bytes:
    random = np.random.default_rng(sum(size))
    coarse = random.integers(0, 256, (9, 9, 3), dtype=np.uint8)
    image = PIL.Image.fromarray(coarse).resize(size, PIL.Image.Resampling.BICUBIC).convert(mode)
    stream = io.BytesIO()
    image.save(stream, "JPEG", **options)  # type: ignore[arg-type]
    return stream.getvalue()


def turned(orientation: int) -> bytes:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    return encoded(exif=exif)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("quality", [5, 75, 100])
def test_pixels_are_those_of_pillow(size: tuple[int, int], subsampling: str, quality: int) -> None:
    for options in ({}, {"optimize": True}, {"restart_marker_rows": 1}):
        content = encoded(size, subsampling=subsampling, quality=quality, **options)
        found = plain_jpeg(content)
        assert found is not None
        assert torch.equal(found, read(content).pixels)


def test_interleaved_pixels_are_not_copied() -> None:
    found = plain_jpeg(turned(1))
    assert found is not None
    assert found.shape == (3, 48, 64)
    assert found.permute(1, 2, 0).is_contiguous()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8\xff",
        turned(6),
        encoded(progressive=True),
        encoded(mode="L"),
        encoded(mode="CMYK"),
        encoded()[:-400],
        encoded()[:200],
        b"\x89PNG\r\n",
    ],
)
def test_anything_else_is_left_to_the_usual_reader(content: bytes) -> None:
    assert plain_jpeg(content) is None


def test_a_limit_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded()
    monkeypatch.setenv("ZOO_IMAGE_PIXELS", str(64 * 48 - 1))
    assert plain_jpeg(content) is None
    monkeypatch.setenv("ZOO_IMAGE_PIXELS", str(64 * 48))
    assert plain_jpeg(content) is not None


def test_damage_is_damage_to_both() -> None:
    """Whatever comes out of damaged bytes is what the usual reader makes of them."""
    random = np.random.default_rng(0)
    whole = encoded((96, 80), quality=90)
    decoded = 0
    for _ in range(300):
        content = bytearray(whole)
        for at in random.integers(2, len(whole), random.integers(1, 4)):
            content[at] = random.integers(0, 256)
        content = content[: random.integers(len(whole) // 2, 2 * len(whole))]
        found = plain_jpeg(bytes(content))
        if found is not None:
            decoded += 1
            assert torch.equal(found, read(bytes(content)).pixels)
    assert decoded > 50


def test_real_images_are_the_same() -> None:
    folder = Path(__file__).parents[3] / "shared/data/coco_val2017_128/val2017"
    if not folder.is_dir():
        pytest.skip("needs the images of COCO beside the project")
    paths = sorted(folder.glob("*.jpg"))[::4]
    found = [plain_jpeg(path.read_bytes()) for path in paths]
    assert sum(pixels is not None for pixels in found) > 0.8 * len(paths)
    for path, pixels in zip(paths, found, strict=True):
        assert pixels is None or torch.equal(pixels, read(path).pixels)


def test_what_can_not_be_read_is_still_said() -> None:
    with pytest.raises(ImageError):
        read(encoded()[:200])
