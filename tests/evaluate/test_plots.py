"""Plots: drawn from a report alone, where it has the numbers, and readable as images."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tests.evaluate.plots.reported import report, with_counts
from zoo.errors import DataError
from zoo.evaluate.plots import FIGURES, save


@pytest.mark.parametrize("classes", [1, 3, 40])
def test_every_figure_is_drawn_and_is_neither_empty_nor_cut(tmp_path: Path, classes: int) -> None:
    files = save(report(classes=classes), tmp_path)
    assert [file.stem for file in files] == list(FIGURES)
    for file in files:
        pixels = np.asarray(Image.open(file).convert("L"))
        assert (pixels < 128).mean() > 0.002, file
        margin = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        assert (margin > 240).all(), f"{file.name} runs over its edge"


def test_what_a_report_has_no_numbers_for_is_left_out(tmp_path: Path) -> None:
    assert [file.stem for file in save(report(analyses=False), tmp_path)] == ["curves", "classes"]
    assert {file.stem for file in save(report(found=False), tmp_path)} >= {
        "curves",
        "classes",
        "mistakes",
    }


@pytest.mark.parametrize("most", [4, 30, 2_000_000])
def test_no_label_of_a_tick_is_markup(
    tmp_path: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels: dict[str, list[str]] = {}

    def write(figure: Figure, file: object, **_: object) -> None:
        figure.draw_without_rendering()
        labels[str(file)] = [
            text.get_text()
            for axes in figure.axes
            for axis in (axes.xaxis, axes.yaxis)
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
            for text in (tick.label1, tick.label2)
        ]

    monkeypatch.setattr(Figure, "savefig", write)
    save(with_counts(most), tmp_path)
    assert len(labels) == len(FIGURES)
    assert not [text for texts in labels.values() for text in texts if "$" in text or "\\" in text]
    [counts] = [texts for file, texts in labels.items() if "reliability" in file]
    assert {"1", f"{10 ** (len(str(most)) - 1):,}"} <= set(counts)


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_where_a_folder_belongs_is_said(tmp_path: Path, below: str) -> None:
    file = tmp_path / "plots"
    file.write_text("mine")
    with pytest.raises(DataError, match="Plots can't be written to"):
        save(report(), file / below)
    assert file.read_text() == "mine"


def test_without_matplotlib_the_error_is_the_line_to_install_it(tmp_path: Path) -> None:
    code = """
import sys
sys.modules["matplotlib"] = None
from pathlib import Path
from zoo.errors import MissingExtra
from zoo.evaluate import Report
from zoo.evaluate.plots import save
try:
    save(Report.read(sys.argv[1]), Path(sys.argv[2]))
except MissingExtra as why:
    print(why.fix)
"""
    report().write(tmp_path / "report.json")
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "report.json", tmp_path],
        capture_output=True,
        text=True,
    )
    assert done.stdout == "pip install 'detzoo[plots]'\n", done.stderr


def test_without_pyarrow_the_error_is_the_line_to_install_it() -> None:
    code = """
import sys
sys.modules["pyarrow"] = None
from zoo.errors import MissingExtra
from zoo.evaluate import Predictions
try:
    Predictions.read("seen.parquet")
except MissingExtra as why:
    print(why.fix)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "pip install 'detzoo[evaluate]'\n", done.stderr
