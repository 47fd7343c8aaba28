"""The end of a run: its page, its curves, its numbers."""

from pathlib import Path

import pytest
from PIL import Image

from zoo.train.finish import draw_curves
from zoo.train.result import Result


def test_the_page_has_numbers_curves_and_how_to_load_it(trained: Result) -> None:
    page = (trained.path / "report.md").read_text()
    assert "| AP |" in page
    assert "curves.png" in page
    assert (trained.path / "curves.png").stat().st_size > 1000
    assert f'zoo.load("file:{trained.path}")' in page


def test_curves_are_drawn_of_losses_and_the_best_number(tmp_path: Path) -> None:
    rows = [{"step": step, "loss": 1 / step, "rate": 0.1, "AP": step / 10} for step in (1, 2, 3)]
    without = [{"step": step, "loss": 1 / step, "rate": 0.1} for step in (1, 2, 3)]
    widths = []
    for name, given in (("both.png", rows), ("loss.png", without)):
        assert draw_curves(given, "AP", tmp_path / name)
        with Image.open(tmp_path / name) as image:
            widths.append(image.width)
    assert widths[0] == pytest.approx(2 * widths[1], abs=4)


def test_nothing_is_drawn_of_no_step(tmp_path: Path) -> None:
    assert not draw_curves([], "AP", tmp_path / "curves.png")
    assert not (tmp_path / "curves.png").exists()
