import os
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from PIL import JpegImagePlugin

from zoo.draw import save
from zoo.errors import ImageError


@pytest.fixture
def image() -> PIL.Image.Image:
    return PIL.Image.fromarray(
        np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.jpg", "JPEG"), ("a.JPEG", "JPEG"), ("a.png", "PNG"), ("a.webp", "WEBP"), ("a.bmp", "BMP")],
)
def test_the_suffix_chooses_the_format(
    name: str, kind: str, image: PIL.Image.Image, tmp_path: Path
) -> None:
    assert save(image, tmp_path / name) == tmp_path / name
    with PIL.Image.open(tmp_path / name) as again:
        assert (again.format, again.size) == (kind, (60, 40))


def test_png_keeps_every_pixel(image: PIL.Image.Image, tmp_path: Path) -> None:
    with PIL.Image.open(save(image, str(tmp_path / "a.png"))) as again:
        assert again.tobytes() == image.tobytes()


def test_jpeg_keeps_thin_lines_in_colour(image: PIL.Image.Image, tmp_path: Path) -> None:
    image.save(tmp_path / "wanted.jpg", quality=92)
    with (
        PIL.Image.open(save(image, tmp_path / "a.jpg")) as again,
        PIL.Image.open(tmp_path / "wanted.jpg") as wanted,
    ):
        assert again.quantization == wanted.quantization
        assert JpegImagePlugin.get_sampling(again) == 0  # 4:4:4


@pytest.mark.parametrize("name", ["a.jpgg", "a", "a.mp4"])
def test_a_name_that_is_no_format_is_refused(
    name: str, image: PIL.Image.Image, tmp_path: Path
) -> None:
    with pytest.raises(ImageError, match=r"End the name in \.jpg") as caught:
        save(image, tmp_path / name)
    assert caught.value.file == str(tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_missing_folder_is_named(image: PIL.Image.Image, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="mkdir -p"):
        save(image, tmp_path / "nowhere" / "a.png")


def test_a_place_that_can_not_be_written_is_refused(image: PIL.Image.Image, tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(ImageError, match="can't be saved"):
        save(image, tmp_path / "a.png")


def test_an_image_too_large_for_its_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"WEBP can't hold it.*\n.*\.png"):
        save(PIL.Image.new("RGB", (16400, 1)), tmp_path / "a.webp")
    assert not (tmp_path / "a.webp").exists()


def test_an_image_takes_the_place_of_another_whole(image: PIL.Image.Image, tmp_path: Path) -> None:
    (tmp_path / "seen.png").write_bytes(b"the one before")
    os.link(
        tmp_path / "seen.png", tmp_path / "kept.png"
    )  # a file that were written into would change under this name too
    save(image, tmp_path / "seen.png")
    assert (tmp_path / "kept.png").read_bytes() == b"the one before"
    assert sorted(os.listdir(tmp_path)) == ["kept.png", "seen.png"]
