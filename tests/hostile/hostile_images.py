"""Image files that are cut, broken, or far larger than they look; the same in every run."""

from __future__ import annotations

import io
import random
import struct
import zlib
from functools import cache

import numpy as np
from PIL import Image, PngImagePlugin

MOST_PIXELS = 1_000_000  # more than this is beyond the limit of the tests


@cache
def good() -> bytes:
    """A PNG file that can be read: 40 x 30 pixels of one gray."""
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 200, 200)).save(file, "PNG")
    return file.getvalue()


def broken(data: bytes, seed: int) -> bytes:
    """The file with some bytes changed, most of them behind its first ones."""
    generator, changed = random.Random(seed), bytearray(data)
    for _ in range(2 + 3 * seed):
        changed[generator.randrange(4 if seed % 2 else 12, len(data))] = generator.randrange(256)
    return bytes(changed)


def _encoded(form: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 31, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def _png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), *chunks, (b"IEND", b""))
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _one_color(width: int, height: int, form: str, mode: str = "1", **settings: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height)).save(file, form, **settings)
    return file.getvalue()


def _patched(data: bytes, place: int, layout: str, *numbers: int) -> bytes:
    size = struct.calcsize(layout)
    return data[:place] + struct.pack(layout, *numbers) + data[place + size :]


def _text_bomb() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("a", "x" * 5_000_000, zip=True)
    file = io.BytesIO()
    Image.new("RGB", (40, 30)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def _bombs() -> dict[str, bytes]:
    empty = zlib.compress(b"")
    jpeg, gif, bmp = FILES["JPEG"], FILES["GIF"], FILES["BMP"]
    frame = jpeg.index(b"\xff\xc0") + 5
    return {
        "PNG of a gigapixel": _png(32_000, 32_000, (b"IDAT", empty)),
        "PNG of 2 ** 31": _png(2**31 - 1, 2**31 - 1, (b"IDAT", empty)),
        "PNG without a height": _png(10, 0, (b"IDAT", empty)),
        "PNG that is one long row": _png(2**31 - 1, 1, (b"IDAT", empty)),
        "PNG, and all of it is there": _one_color(6000, 6000, "PNG"),
        "PNG with much text": _text_bomb(),
        "PNG without data": _png(100, 100),
        "JPEG of 65535": _patched(jpeg, frame, ">HH", 65_535, 65_535),
        "JPEG without a width": _patched(jpeg, frame, ">HH", 24, 0),
        "GIF of 65535": _patched(gif, 6, "<HH", 65_535, 65_535),
        "BMP of 2 ** 31": _patched(bmp, 18, "<ii", 2**31 - 1, 2**31 - 1),
        "BMP of a negative width": _patched(bmp, 18, "<ii", -31, 24),
        "TIFF, and all of it is there": _one_color(6000, 6000, "TIFF", compression="group4"),
        "WEBP, and all of it is there": _one_color(1500, 1500, "WEBP", "RGB", method=0),
        "PPM of 10 ** 12": b"P6 1000000 1000000 255\n" + bytes(100),
        "PPM of a long number": b"P6 " + b"9" * 5000 + b" 1 255\n",
        "XBM": b"#define a_width 99999\n#define a_height 99999\nstatic char a[] = {\n0x00};",
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="99999" height="99999"/>',
        "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99999 99999\n(/etc/passwd) run",
        "PDF": b"%PDF-1.7\n1 0 obj<</Length 9999999999>>stream\n",
    }


FILES = {form: _encoded(form) for form in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")}
BOMBS = _bombs()
