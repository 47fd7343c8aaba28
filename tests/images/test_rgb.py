"""Three upright planes of 8 bits of every mode and depth, and what is lost by that."""

import io
from typing import Any

import numpy as np
import PIL.Image
import pytest
from PIL import ImageOps

from zoo.errors import ImageError
from zoo.images import read, rgb
from zoo.images.rgb import (
    bits_of,
    bytes_to_decode,
    checked_white,
    is_deep_gray,
    planes_of,
    to_8_bits,
    white_of,
)


def opened(image: PIL.Image.Image, kind: str, **options: Any) -> PIL.Image.Image:
    """The image as it is opened from a file, not loaded yet."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return PIL.Image.open(file)


GRAY_16 = PIL.Image.fromarray(np.array([[0, 1000, 65535]], np.uint16))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_are_seen_and_have_a_white(kind: str) -> None:
    image = opened(GRAY_16, kind)
    assert bits_of(image) == 16
    assert is_deep_gray(image)
    assert white_of(image) == 65535


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "JPEG2000", "WEBP", "PPM"])
def test_8_bits_are_8_bits(kind: str) -> None:
    image = opened(PIL.Image.new("RGB", (8, 8), (1, 2, 3)), kind)
    assert bits_of(image) == 8
    assert not is_deep_gray(image)


def test_32_bits_have_no_white_unless_the_file_declares_it() -> None:
    floats = PIL.Image.fromarray(np.array([[0, 0.5, 2]], np.float32))
    image = opened(floats, "TIFF")
    assert bits_of(image) == 32
    assert white_of(image) is None
    assert white_of(opened(floats, "TIFF", tiffinfo={341: 2.0})) == 2.0


def test_white_is_255_and_values_are_rounded() -> None:
    assert to_8_bits(np.array([0, 128.4, 257, 65535]), 65535).tolist() == [0, 0, 1, 255]
    assert to_8_bits(np.array([0.0, 0.5, 1.0]), 1.0).tolist() == [0, 128, 255]


def test_what_nobody_knows_the_white_of_is_refused_with_its_values() -> None:
    floats = PIL.Image.fromarray(np.array([[0, 2]], np.float32))
    with pytest.raises(ImageError, match=r"go from 0 to 2, and nothing says what is white"):
        checked_white(floats, (0, 2), "a.tif")
    declared = opened(floats, "TIFF", tiffinfo={341: 1.0})
    for extremes in ((0.0, 2.0), (-1.0, 1.0), (0.0, float("nan"))):
        with pytest.raises(ImageError, match=r"outside 0\.\.1"):
            checked_white(declared, extremes, "a.tif")
    assert checked_white(declared, (0, 1), "a.tif") == 1


COLORS = np.random.default_rng(0).integers(0, 256, (7, 5, 3), np.uint8)
IMAGE = PIL.Image.fromarray(COLORS)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_planes_are_what_pillow_converts_to(mode: str) -> None:
    image = IMAGE.convert(mode)
    found, lost = planes_of(image, "a.png", 1)
    assert found.permute(1, 2, 0).numpy().tolist() == np.asarray(image.convert("RGB")).tolist()
    assert lost == ()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_turned_upright(orientation: int) -> None:
    image = IMAGE.copy()
    image.getexif()[0x0112] = orientation
    upright = ImageOps.exif_transpose(image)
    found, _ = planes_of(IMAGE, "a.png", orientation)
    assert found.is_contiguous()
    assert found.permute(1, 2, 0).numpy().tolist() == np.asarray(upright).tolist()


@pytest.mark.parametrize("mode", ["RGB", "P", "L", "I;16"])
def test_strips_change_nothing(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gray = np.arange(35, dtype=np.uint16).reshape(7, 5) * 1000
    image = PIL.Image.fromarray(gray) if mode == "I;16" else IMAGE.convert(mode)
    whole, lost = planes_of(image, "a.png", 6)
    monkeypatch.setattr(rgb, "STRIP_PIXELS", 10)  # two rows
    parts, lost_in_parts = planes_of(image, "a.png", 6)
    assert parts.tolist() == whole.tolist()
    assert lost_in_parts == lost


def test_gray_of_16_bits_is_scaled_to_its_white() -> None:
    gray = np.array([[0, 257, 65535]], np.uint16)
    found, _ = planes_of(PIL.Image.fromarray(gray), "a.png", 1)
    assert found.tolist() == [[[0, 1, 255]]] * 3


def test_the_memory_that_decoding_takes_grows_with_pixels_and_depth() -> None:
    small, large = PIL.Image.new("RGB", (10, 10)), PIL.Image.new("RGB", (20, 10))
    assert bytes_to_decode(small) == 700
    assert bytes_to_decode(large) == 1400
    assert bytes_to_decode(PIL.Image.new("L", (10, 10))) == 400
    small.info["progressive"] = 1
    assert bytes_to_decode(small) == 1300


def kinds(source):
    return [loss.kind for loss in read(source).lost]


def said(source):
    return " ".join(loss.case for loss in read(source).lost)


@pytest.mark.parametrize(
    "format", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "AVIF", "JPEG2000", "PPM", "TGA"]
)
def test_nothing_is_lost_of_an_ordinary_image(format, pixels, encode):
    assert read(encode(PIL.Image.fromarray(pixels), format)).lost == ()


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "AVIF", "TIFF", "MPO"])
def test_the_frames_that_are_not_read_are_counted(format, pixels, encode):
    frames = [PIL.Image.fromarray(np.roll(pixels, step, axis=1)) for step in range(5)]
    noun = "pages" if format in ("TIFF", "MPO") else "frames"
    data = encode(frames[0], format, save_all=True, append_images=frames[1:])
    assert said(data) == f"It has 5 {noun}, and only the first is read."
    assert read(data).animated


def test_a_gain_map_is_no_page(pixels, encode):
    xmp = b'<x:xmpmeta xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/>'
    image = PIL.Image.fromarray(pixels)
    assert kinds(encode(image, "MPO", save_all=True, append_images=[image], xmp=xmp)) == []


def test_frames_that_are_damaged_are_several(pixels, encode):
    frames = [PIL.Image.fromarray(np.roll(pixels, step, axis=1)) for step in range(3)]
    data = encode(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    second = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[second : second + 2], "little")
    place = second + 2 + 12 * count  # where the second page's directory is said to be
    damaged = data[:place] + (len(data) - 3).to_bytes(4, "little") + data[place + 4 :]
    assert "several pages" in said(damaged)


def test_a_pil_image_that_someone_opened_at_a_frame_loses_none(pixels, encode):
    frames = [PIL.Image.fromarray(pixels), PIL.Image.fromarray(pixels[::-1].copy())]
    assert (
        kinds(
            PIL.Image.open(
                io.BytesIO(encode(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
            )
        )
        == []
    )


@pytest.mark.parametrize("format", ["PNG", "TIFF", "JPEG2000"])
def test_16_bit_gray_is_told(format, encode):
    deep = np.linspace(0, 65535, 32 * 32).reshape(32, 32).astype(np.uint16)
    assert (
        said(encode(PIL.Image.fromarray(deep), format))
        == "It has 16 bits a channel, and the network sees 8 of them."
    )


def test_gray_that_uses_little_of_its_range_is_told_to_be_dark(encode):
    twelve = np.linspace(0, 4095, 32 * 32).reshape(32, 32).astype(np.uint16)
    assert "Its brightest value is 4,095 of 65,535, so that it comes out dark" in said(
        encode(PIL.Image.fromarray(twelve))
    )
    assert kinds(encode(PIL.Image.fromarray(twelve * 16))) == ["bits"]


def deep_png(width, height):
    """A PNG of 16-bit RGB, which Pillow does not write."""
    import struct
    import zlib

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"".join(b"\0" + bytes(range(6)) * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_16_bit_color_is_told(encode):
    assert "16 bits a channel" in said(deep_png(5, 4))
    assert "10 bits a channel" in said(b"P6 1 1 1023\n" + np.array([0, 512, 1023], ">u2").tobytes())


def test_transparency_is_told_where_there_is_some(pixels, encode):
    for alpha, lost in ((255, []), (254, ["transparency"])):
        plane = np.full((9, 14), 255, np.uint8)
        plane[3, 3] = alpha
        rgba = PIL.Image.fromarray(np.dstack([pixels, plane]))
        assert kinds(rgba) == lost
        assert kinds(encode(rgba)) == lost
        assert kinds(encode(rgba.convert("LA"))) == lost


def test_transparency_of_a_palette_is_told_where_an_entry_is_used(pixels, encode):
    image = PIL.Image.fromarray(pixels).quantize(10)
    used = image.getpixel((0, 0))
    assert kinds(encode(image, transparency=used)) == ["transparency"]
    assert kinds(encode(image, transparency=bytes([255] * used + [0]))) == ["transparency"]
    assert kinds(encode(image, transparency=bytes([255] * 10))) == []
    assert kinds(encode(image, transparency=200)) == []


@pytest.mark.parametrize(
    ("mode", "color", "clear", "other"),
    [
        ("RGB", (255, 0, 0), (255, 0, 0), (255, 0, 1)),
        ("L", 7, 7, 8),
        ("1", 255, 1, 0),
        ("1", 0, 0, 1),
    ],
)
def test_the_colour_that_a_png_calls_transparent_is_told_where_it_is_used(
    mode, color, clear, other, encode
):
    image = PIL.Image.new(mode, (6, 5), color)
    assert kinds(encode(image, transparency=clear)) == ["transparency"]
    assert kinds(encode(image, transparency=other)) == []


def test_a_gray_of_16_bits_that_a_png_calls_transparent_is_told(encode):
    assert kinds(encode(GRAY_16, transparency=1000)) == ["bits", "transparency"]
    assert kinds(encode(GRAY_16, transparency=1001)) == ["bits"]


def test_a_colour_of_lab_is_no_transparency():
    assert kinds(PIL.Image.new("LAB", (6, 5), (128, 20, 30))) == []


def test_16_bits_whose_white_is_zero_are_no_negative(encode):
    gray = read(encode(GRAY_16, "TIFF", tiffinfo={262: 0})).pixels[0, 0]
    assert gray.tolist() == [255, 251, 0]


def test_a_negative_that_uses_little_of_its_range_is_told_to_be_dark(encode):
    nearly_black = PIL.Image.fromarray(np.full((4, 4), 65000, np.uint16))
    assert "Its brightest value is 535 of 65,535" in said(
        encode(nearly_black, "TIFF", tiffinfo={262: 0})
    )
