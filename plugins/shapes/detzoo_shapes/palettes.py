"""The colours of a scene: a ground of two tones, and the papers that shapes are cut from."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Palette:
    """ground: two tones that the background runs between. papers: colours of shapes."""

    name: str
    ground: tuple[Colour, Colour]
    papers: tuple[Colour, ...]


def _palette(name: str, ground: str, papers: str) -> Palette:
    first, second = map(_colour, ground.split())
    return Palette(name, (first, second), tuple(map(_colour, papers.split())))


def _colour(text: str) -> Colour:
    red, green, blue = bytes.fromhex(text)
    return red, green, blue


PALETTES = (
    _palette("linen", "f3e9d8 e2cfae", "d1495b 00798c edae49 30638e 2f4858 f26b4e 5b8e7d"),
    _palette("midnight", "16213e 26345f", "ff6b6b ffd166 06d6a0 5bc0eb f7b2d9 f4f1de c792ea"),
    _palette("meadow", "cfe3c2 a3c79a", "fff3e0 e85d75 33658a f6ae2d f26419 264653 9b5de5"),
    _palette("dusk", "3d2c5e 7a4069", "f9c784 fcaf58 ff8c42 f6e7cb 4ecdc4 ff5e78 a8dadc"),
    _palette("sea", "0b4f6c 1b7f98", "fbfbff f4d35e ee964b f95738 b8f2e6 ffa69e ffd9da"),
    _palette("blossom", "fbdde3 f2b8c6", "9d2449 2a9d8f 264653 fffaf0 f2803a 6d597a 3a86c8"),
    _palette("slate", "5b6675 3f4956", "f2cc8f e07a5f 81b29a f4f1de 7cc6fe ffb3c1 ffe66d"),
    _palette("sand", "e9c88f d4a05e", "1d3557 8d1f3c f8f4e3 1b998b 5f3b8c 2b2d42 d64933"),
    _palette("mint", "dff5ec b3e0d2", "ff6f59 254441 43aa8b ef3054 5a4fcf f7b32b 1b6ca8"),
    _palette("plum", "2b1b3d 50286b", "f7c59f ff4f79 2ec4b6 efefd0 ffa630 a8e6cf 6fa8ff"),
)
