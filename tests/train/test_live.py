"""What a run says while it goes on."""

import contextlib
import io
import re

import pytest

from zoo.progress import Bar
from zoo.train.live import Live, line


def test_a_line_has_the_losses_the_rate_and_the_best_number() -> None:
    row = {"step": 3, "loss": 3.0, "iou": 1.0, "kind": 2.0, "rate": 0.01, "AP": 0.415, "AP50": 0.5}
    assert line(row, "AP") == "AP 41.5  loss 3 = iou 1 + kind 2  rate 0.01"


def test_a_line_is_said_after_a_validation() -> None:
    said: list[str] = []
    with Bar("Training", total=20, show=False) as bar:
        live = Live(bar, best="AP", steps=20, say=said.append)
        live.begin(4)
        live.tell({"step": 10, "loss": 1.0, "kind": 1.0, "rate": 0.1, "images_per_second": 20.0})
        assert said == []
        live.tell({"step": 10, "AP": 0.5})
    assert said == ["step 10/20  20 images/s  AP 50.0  loss 1 = kind 1  rate 0.1"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [50, 80])
def test_a_narrow_terminal_has_count_time_speed_and_best_number_and_cuts_the_losses(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    screen = Terminal()
    losses = {"loss": 9.071, "iou": 2.64, "objectness": 3.31, "classification": 3.121}
    with (
        contextlib.redirect_stderr(screen),
        Bar("Training a", total=1500, show=True, in_line=True) as bar,
    ):
        live = Live(bar, best="AP", steps=1500, say=None)
        live.tell({"step": 10, "AP": 0.412, "images_per_second": 20.0, "rate": 0.01, **losses})
        for step in range(11, 16):
            live.tell({"step": step})
    drawn = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", screen.getvalue()).splitlines()
    [*_, shown] = (text for text in drawn if "images/s" in text)
    assert shown.lstrip().startswith("15/1500   1% ")
    assert "20 images/s  AP 41.2  loss" in shown
    assert ("= iou 2.64 + objec" in shown) == (columns == 80)
    assert len(shown) <= columns
