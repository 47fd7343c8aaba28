"""Class names of any script: in a font of the system that has the letters, or with a word about
those that none has."""

import shutil
import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from zoo import fonts
from zoo.detections import Detections
from zoo.draw import draw
from zoo.draw import fonts as names
from zoo.draw.chips import chip, fit_name
from zoo.draw.fonts import drawable_name
from zoo.errors import UsageError
from zoo.fonts import FontWarning

DEJAVU = (
    Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
)  # Latin, Greek, Cyrillic, Arabic; no Chinese


@pytest.fixture(autouse=True)
def system(tmp_path, monkeypatch):
    """A system without fonts; put some into the folder that this gives."""
    folder = tmp_path / "share" / "fonts" / "truetype"
    folder.mkdir(parents=True)
    monkeypatch.setattr(fonts.sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "share"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(names, "WARNED_LETTERS", set())
    for cached in (
        fonts.of_system,
        fonts.system_fonts,
        fonts.has,
        fonts.cached_letters,
        chip,
        fit_name,
    ):
        cached.cache_clear()
    yield folder
    for cached in (
        fonts.of_system,
        fonts.system_fonts,
        fonts.has,
        fonts.cached_letters,
        chip,
        fit_name,
    ):
        cached.cache_clear()


def drawn(*names, **options):
    boxes = [[20, 40 * (row + 1), 200, 40 * (row + 2)] for row in range(len(names))]
    found = Detections.of(boxes, [0.5] * len(names), list(range(len(names))), label_space=names)
    return draw(np.full((200, 300, 3), 120, np.uint8), found, **options).tobytes()


def test_ascii_is_written_in_pillows_own_font(system):
    shutil.copy(DEJAVU, system)
    assert drawable_name("traffic  light\n3", None) == ("traffic light 3", None)


@pytest.mark.parametrize("name", ["автобус", "λεωφορείο", "Fußgänger", "زرافة", "Ω ≥ 3 µm"])
def test_other_letters_are_written_in_a_font_of_the_system_that_has_them(name, system):
    (system / "ASansBroken.ttf").write_bytes(b"no font")
    shutil.copy(DEJAVU, system)
    assert drawable_name(name, None) == (name, str(system / "DejaVuSans.ttf"))
    assert drawn(name) != drawn(name[:-1] + name[0])


def test_what_no_font_has_is_told_once_and_is_no_square(system):
    shutil.copy(DEJAVU, system)
    says = r"No font found.* has these letters of class names: 行 人\. They are drawn as \?.*--font"
    with pytest.warns(FontWarning, match=says):
        seen = drawn("行人")
    assert seen == drawn("??")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert drawn("行人 2") == drawn("?? 2")


def test_what_the_font_that_was_named_lacks_is_told():
    with pytest.warns(FontWarning, match=r"The font '.*DejaVuSans\.ttf' lacks .*: 行 人\."):
        assert drawable_name("行人 bus", DEJAVU) == ("?? bus", DEJAVU)


def test_accents_are_dropped_before_a_letter_is():
    assert drawable_name("café", None) == ("cafe", None)
    assert drawable_name("café", DEJAVU) == ("café", DEJAVU)
    assert drawable_name("cafe\u0301", DEJAVU) == ("café", DEJAVU)


def test_a_pipe_is_no_font(tmp_path):
    import os

    os.mkfifo(tmp_path / "font.ttf")
    with pytest.raises(UsageError, match="named pipe"):
        drawn("bus", font=tmp_path / "font.ttf")


def test_a_name_of_a_million_letters_costs_no_more_than_what_is_seen_of_it():
    name = "a very long name " * 60_000
    assert drawn(name) == drawn(
        name + "2"
    )  # for hours, where letters are measured as often as the name is long
    short, _ = fit_name(name, size=14, room=200, font=None)
    assert short.startswith("a very long name") and short.endswith("…")  # noqa: PT018


@pytest.mark.parametrize("room", [0, 5, 40, 100, 333])
@pytest.mark.parametrize("name", ["ii" * 200, "WW" * 200, "short", "a b c d e f g"])
def test_a_name_is_cut_as_late_as_there_is_room(name, room):
    text, font = fit_name(name, size=20, room=room, font=None)
    letters = fonts.letters_of(20, font)
    if text == name:
        assert letters.getlength(name) <= room
    elif text != "…":
        assert letters.getlength(text) <= room
        assert letters.getlength(name[: len(text)] + "…") > room
