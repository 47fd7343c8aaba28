"""Fonts of the system: which files have the letters of a name."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import pytest

from zoo import fonts
from zoo.errors import UsageError
from zoo.fonts import FontWarning, covering, has, letters_of, of_system, system_fonts, warn_of

TTF = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
SANS = TTF / "DejaVuSans.ttf"
CACHES = (fonts.of_system, fonts.system_fonts, fonts.has, fonts.cached_letters)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The one folder of fonts that the system has."""
    monkeypatch.setattr(fonts, "font_folders", lambda: iter([tmp_path]))
    for cached in CACHES:
        cached.cache_clear()
    yield tmp_path
    for cached in CACHES:
        cached.cache_clear()


@pytest.mark.parametrize(
    ("letter", "there"), [("a", True), ("ж", True), ("停", False), (" ", True), ("\u200d", True)]
)
def test_a_font_has_a_letter_or_draws_what_stands_for_none(letter: str, there: bool) -> None:
    assert has(str(SANS), letter) == there


def test_plain_fonts_come_first_and_squares_never(folder: Path) -> None:
    names = ("DejaVuSerif-Bold.ttf", "DejaVuSans.ttf", "DejaVuSansMono.ttf", "DejaVuSerif.ttf")
    for name in names:
        shutil.copy(TTF / name, folder)
    shutil.copy(SANS, folder / "LastResort.ttf")
    (folder / "readme.txt").touch()
    found = [Path(path).name for path in system_fonts()]
    assert found[0] == "DejaVuSans.ttf"
    assert found[-1] == "DejaVuSerif-Bold.ttf"
    assert set(found) == set(names)


def test_the_font_with_all_letters_is_found(folder: Path) -> None:
    assert of_system(frozenset("aж")) is None
    of_system.cache_clear()
    system_fonts.cache_clear()
    shutil.copy(SANS, folder)
    (folder / "broken.ttf").write_bytes(b"no font")
    assert of_system(frozenset("aж")) == str(folder / "DejaVuSans.ttf")
    assert of_system(frozenset("a停")) is None


def test_several_fonts_cover_what_they_can(folder: Path) -> None:
    shutil.copy(SANS, folder)
    assert covering("aж停") == ([str(folder / "DejaVuSans.ttf")], {"停"})
    assert covering("") == ([], set())


def test_what_is_no_font_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.ttf").write_text("no font")
    for path in (tmp_path / "text.ttf", tmp_path / "nothing.ttf", tmp_path):
        with pytest.raises(UsageError, match=r"No font can be read there(.|\n)*\.ttf, \.otf"):
            letters_of(12, path)


def test_a_warning_repeats_a_few_letters_and_counts_the_others() -> None:
    letters = [chr(0x4E00 + number) for number in range(25)]
    with pytest.warns(FontWarning, match=r"^Not there: 一 丁 .* and 5 more\. Look\. Name a font"):
        warn_of("Not there", letters, then=" Look.")
    with pytest.warns(FontWarning, match=r"U\+0007"):
        warn_of("Not there", ["\x07"])
