"""Pillow's warnings are silent inside, and everything is as it was outside."""

import logging
import threading
import warnings
from contextlib import suppress

import PIL.Image
import pytest

from zoo.images.quiet import quiet

LOGGER = logging.getLogger("PIL.TiffImagePlugin")


def warn(module: str) -> None:
    warnings.warn_explicit("odd", UserWarning, "file.py", 1, module=module)


def test_only_warnings_of_pillow_are_silent() -> None:
    with quiet():
        warn("PIL.Image")
        with pytest.warns(UserWarning, match="odd"):
            warn("mine")
    with pytest.warns(UserWarning, match="odd"):
        warn("PIL.Image")


def test_filters_logs_and_limits_come_back_even_after_an_error() -> None:
    before = list(warnings.filters), LOGGER.disabled, PIL.Image.MAX_IMAGE_PIXELS
    with suppress(ValueError), quiet(pixels=10**12):
        assert LOGGER.disabled
        assert PIL.Image.MAX_IMAGE_PIXELS == 10**12
        raise ValueError
    assert (list(warnings.filters), LOGGER.disabled, PIL.Image.MAX_IMAGE_PIXELS) == before


def test_pillow_s_limit_is_never_lowered() -> None:
    before = PIL.Image.MAX_IMAGE_PIXELS
    with quiet(pixels=5):
        assert before == PIL.Image.MAX_IMAGE_PIXELS


def test_the_last_one_out_takes_it_back() -> None:
    inside, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with quiet():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=stay)
    thread.start()
    assert inside.wait(10)
    with quiet():
        pass
    warn("PIL.Image")  # silent still: somebody is inside
    leave.set()
    thread.join()
    with pytest.warns(UserWarning, match="odd"):
        warn("PIL.Image")
