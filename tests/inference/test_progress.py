"""The progress bar: on standard error, when asked for, or when the work takes long at a
terminal."""

import contextlib
import io
import subprocess
import sys

import pytest

from zoo import progress
from zoo.errors import ImageError


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def shown(monkeypatch):
    """What a piece of work writes to standard error when that is a terminal."""
    monkeypatch.setenv("TERM", "xterm")

    def watch(work):
        screen = Terminal()
        with contextlib.redirect_stderr(screen):
            work()
        return screen.getvalue()

    return watch


@pytest.fixture
def impatient(monkeypatch):
    """Any work takes long."""
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.0)


def test_a_bar_that_is_asked_for_counts_every_picture(lamps, street, shown):
    screen = shown(lambda: lamps.detect([street] * 4, progress=True))
    assert "Detecting" in screen
    assert "4/4" in screen


@pytest.mark.filterwarnings("ignore::zoo.images.ImageWarning")
def test_skipped_pictures_count_as_well(lamps, street, shown):
    assert "3/3" in shown(
        lambda: lamps.detect([street, b"bad", street], progress=True, on_error="skip")
    )


def test_a_generators_bar_has_no_end(lamps, street, shown):
    assert "4/?" in shown(lambda: lamps.detect((street for _ in range(4)), progress=True))


def test_short_work_shows_no_bar(lamps, street, shown):
    assert shown(lambda: lamps.detect([street] * 4)) == ""


@pytest.mark.usefixtures("impatient")
def test_long_work_shows_one_at_a_terminal(lamps, street, shown):
    assert "4/4" in shown(lambda: lamps.detect([street] * 4))


@pytest.mark.usefixtures("impatient")
def test_long_work_shows_none_elsewhere(lamps, street, capfd):
    lamps.detect([street] * 4)
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("impatient")
def test_no_bar_is_shown_when_none_is_wanted(lamps, street, shown):
    assert shown(lambda: lamps.detect([street] * 4, progress=False)) == ""


def test_the_cursor_is_back_after_an_error(lamps, street, shown):
    def work():
        with pytest.raises(ImageError):
            lamps.detect([street, street, b"bad"], batch_size=1, progress=True)

    screen = shown(work)
    assert screen.count("\x1b[?25l") == screen.count("\x1b[?25h") == 1


@pytest.mark.slow
def test_neither_rich_nor_an_http_client_is_imported_before_it_is_used():
    code = (
        "import sys, zoo.inference.detect, zoo.images; print({'rich', 'httpx', 'httpx2', "
        "'huggingface_hub'} & set(sys.modules))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        == "set()\n"
    )
