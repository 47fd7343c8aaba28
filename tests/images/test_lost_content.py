"""What an image had that its pixels have not: frames, bits, shades and transparency, and nothing
where nothing is lost."""

import io

import numpy as np
import PIL.Image
import pytest

from zoo.images import read


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
