"""Files made to hurt: whatever is in them, the answer is an image or an ImageError that names the
file."""

import io
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from zoo.errors import ImageError
from zoo.images import Limits, read

FORMATS = ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM", "TGA"]


def encoded(format):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 31, 3), dtype=np.uint8)).save(
        file, format
    )
    return file.getvalue()


FILES = {format: encoded(format) for format in FORMATS}


def png(width, height, body=b""):
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(body))
        + chunk(b"IEND", b"")
    )


def refused(data, tmp_path, case):
    path = tmp_path / "bad.bin"
    path.write_bytes(data)
    for source in (path, data):
        with pytest.raises(ImageError, match=case) as caught:
            read(source, name="bad.bin")
        assert caught.value.file == "bad.bin"
        assert "'bad.bin'" in str(caught.value)


def test_an_empty_file_is_refused_by_name(tmp_path):
    refused(b"", tmp_path, "empty: 0 bytes")


@pytest.mark.parametrize(
    "data",
    [b"x", b"\0" * 100, b"hello, world", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7"],
)
def test_what_is_no_image_is_refused_by_name_with_its_first_bytes(data, tmp_path):
    refused(data, tmp_path, "not an image that Pillow knows; it starts with")


def test_heif_is_refused_with_the_plugin_that_reads_it(tmp_path):
    refused(b"\0\0\0\x18ftypheic" + bytes(40), tmp_path, "pip install pillow-heif")


@pytest.mark.parametrize(
    "format", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM"]
)
def test_a_truncated_file_is_refused_by_name(format, tmp_path):
    refused(
        FILES[format][: len(FILES[format]) * 2 // 3], tmp_path, "damaged or cut short|not an image"
    )


def test_a_decompression_bomb_is_refused_before_it_goes_off(tmp_path):
    refused(png(60000, 60000, bytes(1000)), tmp_path, "too large to decode unasked")


def test_a_header_that_lies_about_the_size_is_refused(tmp_path):
    refused(png(300, 300, bytes(1000)), tmp_path, "damaged or cut short")


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (2**31, 2**31)])
def test_an_image_of_impossible_size_is_refused(width, height, tmp_path):
    refused(png(width, height), tmp_path, "damaged|not an image|too large|no pixels")


def test_a_pickle_is_not_loaded(tmp_path):
    import pickle

    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "exploded"), "w"))

    refused(pickle.dumps(Bomb()), tmp_path, "not an image")
    assert not (tmp_path / "exploded").exists()


def test_a_loop_of_links_is_refused(tmp_path):
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    with pytest.raises(ImageError, match=r"loop\.png"):
        read(tmp_path / "loop.png")


@settings(max_examples=400)
@given(st.sampled_from(FORMATS), st.data())
def test_damage_anywhere_gives_an_image_or_an_image_error(format, data):
    damaged = bytearray(FILES[format])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, min(len(damaged), 400) - 1))] = data.draw(
            st.integers(0, 255)
        )
    try:
        image = read(bytes(damaged), name="bad", limits=Limits(pixels=10**6))
    except ImageError:
        return
    assert image.pixels.shape[0] == 3
    assert image.pixels.numel() > 0


def test_a_jpeg_of_thousands_of_scans_is_refused_before_it_is_decoded():
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    start = data.rindex(b"\xff\xda")
    scan = data[start:-2]
    with pytest.raises(
        ImageError,
        match=r"It is a JPEG of 2,0\d\d scans, each a pass over all of its pixels; 100 are decoded",
    ):
        read(data[:-2] + scan * 2000 + data[-2:])
    assert read(data[:-2] + scan * 50 + data[-2:]).size == (64, 64)


def test_a_sequential_jpeg_of_thousands_of_scans_is_refused_as_well():
    file = io.BytesIO()
    Image.new("L", (64, 64)).save(file, "JPEG")
    data = file.getvalue()
    frame = data.index(b"\xff\xc0")  # three channels are declared, and each scan has one
    head = (
        data[: frame + 3]
        + bytes([17])
        + data[frame + 4 : frame + 9]
        + bytes([3, 1, 17, 0, 2, 17, 0, 3, 17, 0])
    )
    rest = data[frame + 13 :]
    scan = rest[rest.index(b"\xff\xda") : -2]
    with pytest.raises(ImageError, match=r"It is a JPEG of 2,001 scans"):
        read(head + rest[:-2] + scan * 2000 + b"\xff\xd9")


@pytest.mark.parametrize("format", ["TIFF", "PNG", "JPEG", "GIF", "WEBP"])
def test_whatever_a_library_says_of_a_damaged_file_is_not_printed(format, capfd):
    garbage = {"exif": b"Exif\0\0II*\0garbage and more garbage"}
    options = {"compression": "tiff_lzw"} if format == "TIFF" else garbage
    file = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, format, **options)
    for place in range(40, 1500, 60):
        damaged = bytearray(file.getvalue())
        damaged[place : place + 40] = bytes(reversed(damaged[place : place + 40]))
        with suppress(ImageError):
            read(bytes(damaged))
    assert capfd.readouterr() == ("", "")
