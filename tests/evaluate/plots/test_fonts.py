"""Names of any script in plots: from a font that has their letters, or told in one sentence, and
never a warning of a library."""

import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import font_manager

from zoo import fonts as system
from zoo.errors import UsageError
from zoo.evaluate import Evaluator, GroundTruth, Report
from zoo.evaluate.plots import FontWarning, fonts, save

TTF = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
CHINESE = ("停车标志", "行人")


def report(*names: str) -> Report:
    """One box of each class, half of them found."""
    boxes = [[10.0 * row, 0, 10.0 * row + 8, 9] for row in range(len(names))]
    truth = GroundTruth.of(
        [1],
        {"image": [1] * len(names), "label": list(range(len(names))), "box": boxes},
        label_space=list(names),
    )
    evaluator = Evaluator(truth)
    some = range(0, len(names), 2)
    seen = {
        "boxes": np.array([boxes[row] for row in some]),
        "scores": np.full(len(some), 0.5),
        "labels": np.array(some),
    }
    evaluator.update([1], [seen])
    return evaluator.compute(resamples=0).with_provenance({"model": "a model"})


def test_letters_that_no_font_has_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "system_fonts", tuple)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert len(save(report(*CHINESE), tmp_path)) >= 3
    [warning] = said
    assert warning.category is FontWarning
    assert "停" in str(warning.message)
    assert "font=" in str(warning.message)


@pytest.mark.parametrize(
    "name", ["señal", "знак", "σήμα", "$x^$", "a_b^{c", "50 % off", "\\frac{1}", "tab\u200bless"]
)
def test_names_that_matplotlib_s_own_font_has_are_drawn_without_a_word(
    tmp_path: Path, name: str
) -> None:
    """Dollar signs are no formula."""
    before = dict(matplotlib.rcParams)
    save(report(name, "other"), tmp_path)
    assert dict(matplotlib.rcParams) == before


def test_a_font_of_the_system_that_has_the_letters_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "broken.ttf").write_text("no font")
    there = (
        str(tmp_path / "broken.ttf"),
        *(str(TTF / f"DejaVu{name}.ttf") for name in ("SansMono", "Serif")),
    )
    monkeypatch.setattr(system, "system_fonts", lambda: there)
    assert fonts.families_for(set("ab"), None) == (["DejaVu Sans"], set())
    assert fonts.families_for(set("a⍞"), None) == (["DejaVu Sans", "DejaVu Sans Mono"], set())
    assert fonts.families_for(set("a⍞ᴥ"), None) == (
        ["DejaVu Sans", "DejaVu Sans Mono", "DejaVu Serif"],
        set(),
    )
    assert fonts.families_for(set("a停"), None) == (["DejaVu Sans"], {"停"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save(report("⍞", "ᴥ"), tmp_path / "plots")


def test_the_font_given_comes_first(tmp_path: Path) -> None:
    file = font_manager.findfont("DejaVu Serif")
    families, missing = fonts.families_for(set("ab"), file)
    assert (families, missing) == (["DejaVu Serif", "DejaVu Sans"], set())
    plain = {path.name: path.read_bytes() for path in save(report("a", "b"), tmp_path / "plain")}
    serif = {
        path.name: path.read_bytes()
        for path in save(report("a", "b"), tmp_path / "serif", font=file)
    }
    assert plain.keys() == serif.keys()
    assert plain["classes.png"] != serif["classes.png"]


@pytest.mark.parametrize("name", ["missing.ttf", "text.ttf", "folder"])
def test_what_is_no_font_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.ttf").write_text("no font")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="No font can be read there"):
        save(report("a"), tmp_path / "plots", font=tmp_path / name)


def test_a_square_for_every_letter_is_no_font(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LastResortHE-Regular.ttf", "DejaVuSerif.ttf"):
        shutil.copy(TTF / name, tmp_path)
    monkeypatch.setattr(system, "font_folders", lambda: [tmp_path])
    system.system_fonts.cache_clear()
    assert system.system_fonts() == (str(tmp_path / "DejaVuSerif.ttf"),)
    system.system_fonts.cache_clear()


def test_the_model_and_the_data_are_names_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "system_fonts", tuple)
    made = report("a")
    made = replace(made, measured=replace(made.measured, data="数据"))
    with pytest.warns(FontWarning, match="据"):
        save(made, tmp_path)
