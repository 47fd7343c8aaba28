"""The style of all figures: a title, what was measured, and plain axes."""

from dataclasses import replace

from tests.evaluate.plots.reported import report
from zoo.evaluate.plots.paper import GRID, paper, plain


def test_a_figure_says_what_it_shows_and_of_what() -> None:
    made = report()
    figure = paper(made, "Some title", width=5, height=3)
    assert figure.get_suptitle().strip() == "Some title"
    assert figure.get_size_inches().tolist() == [5, 3]
    [about] = [text.get_text() for text in figure.texts if "images" in text.get_text()]
    assert about == f"a model on {made.measured.data}, 10 images"
    unnamed = paper(replace(made, provenance=None), "Some title")
    [about] = [text.get_text() for text in unnamed.texts if "images" in text.get_text()]
    assert about == f"{made.measured.data}, 10 images"


def test_axes_have_no_box_and_a_pale_grid() -> None:
    axes = plain(paper(report(), "Some title").add_subplot(), grid="x")
    assert not axes.spines["top"].get_visible()
    assert not axes.spines["right"].get_visible()
    assert axes.xaxis.get_gridlines()[0].get_color() == GRID
    assert not axes.yaxis.get_gridlines()[0].get_visible()
