"""Files made to hurt: whatever is in them, the answer is a picture or an ImageError that names the file."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from zoo.errors import ImageError
from zoo.images import read

FORMATS = ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM", "TGA"]


def encoded(format):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 31, 3), dtype=np.uint8)).save(file, format)
    return file.getvalue()


FILES = {format: encoded(format) for format in FORMATS}


def png(width, height, body=b""):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


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


@pytest.mark.parametrize("data", [b"x", b"\0" * 100, b"hello, world", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7"])
def test_what_is_no_picture_is_refused_by_name_with_its_first_bytes(data, tmp_path):
    refused(data, tmp_path, "no picture that Pillow knows; it starts with")


def test_heif_is_refused_with_the_plugin_that_reads_it(tmp_path):
    refused(b"\0\0\0\x18ftypheic" + bytes(40), tmp_path, "pip install pillow-heif")


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM"])
def test_a_truncated_file_is_refused_by_name(format, tmp_path):
    refused(FILES[format][: len(FILES[format]) * 2 // 3], tmp_path, "damaged or cut short|no picture")


@pytest.mark.filterwarnings("default::PIL.Image.DecompressionBombWarning")
def test_a_decompression_bomb_is_refused_before_it_goes_off(tmp_path):
    refused(png(60000, 60000, bytes(1000)), tmp_path, "too large to decode unasked")


def test_a_header_that_lies_about_the_size_is_refused(tmp_path):
    refused(png(300, 300, bytes(1000)), tmp_path, "damaged or cut short")


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (2**31, 2**31)])
def test_a_picture_of_impossible_size_is_refused(width, height, tmp_path):
    refused(png(width, height), tmp_path, "damaged|no picture|too large")


def test_a_pickle_is_not_loaded(tmp_path):
    import pickle

    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "exploded"), "w"))

    refused(pickle.dumps(Bomb()), tmp_path, "no picture")
    assert not (tmp_path / "exploded").exists()


def test_a_loop_of_links_is_refused(tmp_path):
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    with pytest.raises(ImageError, match=r"loop\.png"):
        read(tmp_path / "loop.png")


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(FORMATS), st.data())
@pytest.mark.filterwarnings("ignore")  # Pillow warns of some of the damage before it gives up
def test_damage_anywhere_gives_a_picture_or_an_image_error(format, data):
    damaged = bytearray(FILES[format])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, min(len(damaged), 400) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = read(bytes(damaged), name="bad", max_pixels=10**6)
    except ImageError:
        return
    assert picture.pixels.shape[0] == 3
    assert picture.pixels.numel() > 0
