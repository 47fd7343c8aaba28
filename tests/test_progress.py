"""A bar on standard error: at once, never, or after a moment at a terminal."""

import contextlib
import io

import pytest

from zoo import progress
from zoo.progress import Bar, is_shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _xterm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")


def shown(
    count: int, *, show: bool | None, total: int | None = 4, screen: io.StringIO | None = None
) -> str:
    """What so much progress writes to standard error, a terminal unless said otherwise."""
    screen = screen or Terminal()
    with contextlib.redirect_stderr(screen), Bar("Looking", total=total, show=show) as bar:
        for _ in range(count):
            bar.advance()
    return screen.getvalue()


def test_a_bar_that_is_asked_for_shows_at_once_and_counts() -> None:
    screen = shown(3, show=True)
    assert "Looking" in screen
    assert "3/4" in screen


def test_an_unknown_total_has_no_end() -> None:
    assert "3/?" in shown(3, show=True, total=None)


@pytest.mark.parametrize("patience", [0.0, 1000.0])
def test_long_work_at_a_terminal_has_a_bar_and_short_work_none(
    monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", patience)
    assert ("2/4" in shown(2, show=None)) == (patience == 0)


def test_no_bar_is_shown_where_none_is_wanted_or_nobody_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.0)
    assert shown(2, show=False) == ""
    assert shown(2, show=None, screen=io.StringIO()) == ""
    monkeypatch.setattr("sys.stderr", None)
    with Bar("Looking", total=4) as bar:
        bar.advance()


def fail(screen: Terminal) -> None:
    with contextlib.redirect_stderr(screen), Bar("Looking", total=4, show=True) as bar:
        bar.advance()
        raise ValueError("inside")


def test_the_cursor_is_back_after_an_error() -> None:
    screen = Terminal()
    with pytest.raises(ValueError, match="inside"):
        fail(screen)
    text = screen.getvalue()
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_progress_false_is_silent_on_a_terminal_too() -> None:
    with contextlib.redirect_stderr(Terminal()):
        assert is_shown(None)
        assert not is_shown(False)


def test_bytes_are_counted_in_their_units_and_a_new_total_and_description_are_shown() -> None:
    screen = Terminal()
    with (
        contextlib.redirect_stderr(screen),
        Bar("[a]", total=None, show=True, in_bytes=True) as bar,
    ):
        bar.move(1500, 3000)
        bar.describe("[/b]")
    assert "1.5/3.0 kB" in screen.getvalue()
    assert "[/b]" in screen.getvalue()
