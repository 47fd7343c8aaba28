"""Eighteen colours that colour-blind people can tell apart too; a class always has the same one.

They were chosen greedily: each is as far as possible in OKLab from all before it, for normal vision
and for protanopia, deuteranopia and tritanopia as simulated by Machado et al. (2009,
https://doi.org/10.1109/TVCG.2009.113).
"""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

Color: TypeAlias = tuple[int, int, int]

PALETTE: tuple[Color, ...] = (
    (255, 159, 28),  # orange
    (97, 10, 253),  # indigo
    (37, 210, 252),  # sky
    (171, 34, 102),  # raspberry
    (156, 121, 199),  # lilac
    (255, 80, 107),  # coral
    (134, 54, 175),  # purple
    (193, 231, 144),  # lime
    (48, 146, 16),  # green
    (15, 182, 172),  # teal
    (253, 65, 253),  # magenta
    (190, 85, 144),  # mauve
    (148, 201, 123),  # sage
    (79, 111, 21),  # olive
    (251, 213, 9),  # yellow
    (15, 246, 241),  # aqua
    (120, 102, 210),  # slate
    (134, 136, 254),  # lavender
)
DARK: Color = (0, 0, 0)
LIGHT: Color = (255, 255, 255)
UNTRACKED: Color = (160, 160, 160)  # gray, for detections without a track


def color_of(label: int) -> Color:
    """The colour of a class; colours repeat from the nineteenth class on."""
    return PALETTE[label % len(PALETTE)]


@cache
def ink_on(color: Color) -> Color:
    """Black or white, whichever has more contrast to that colour: at least 4.5, WCAG's AA."""
    return DARK if contrast(color, DARK) >= contrast(color, LIGHT) else LIGHT


def contrast(color: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2.2, from 1 to 21."""
    darker, lighter = sorted((_luminance(color), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: Color) -> float:
    red, green, blue = (_linear(value / 255) for value in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    """One sRGB channel in [0, 1] without its gamma."""
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
