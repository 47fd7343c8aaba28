"""Silences Pillow and libtiff: their warnings are repeated with the image's name, or dropped."""

from __future__ import annotations

import ctypes
import logging
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import Any, cast

import PIL.Image
from PIL import _imaging

_IGNORED = (
    "ignore",
    None,
    Warning,
    re.compile(r"PIL\b"),
    0,
)  # as warnings.filterwarnings would enter it
_SETTERS = ("TIFFSetErrorHandler", "TIFFSetWarningHandler")  # libtiff's, whose own ones print

_lock = threading.Lock()
_users = 0
_undo: list[Callable[[], None]] = []


@contextmanager
def quiet(*, pixels: int | None = None) -> Iterator[None]:
    """No warning of Pillow's modules is shown, and libtiff prints nothing, while anybody is inside.

    Filters and handlers are the process's, not a thread's: the first one in sets them, the last one
    out takes them back.

    pixels: where it is more than Pillow decodes by itself, Pillow's limit is raised to it as well.
    """
    global _users
    with _lock:
        _users += 1
        if _users == 1:
            _undo.append(_without_warnings())
            _undo.extend(_without_prints())
            _undo.extend(_without_logs())
        if pixels and PIL.Image.MAX_IMAGE_PIXELS and pixels > 2 * PIL.Image.MAX_IMAGE_PIXELS:
            _undo.append(
                partial(setattr, PIL.Image, "MAX_IMAGE_PIXELS", PIL.Image.MAX_IMAGE_PIXELS)
            )
            PIL.Image.MAX_IMAGE_PIXELS = pixels
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            while not _users and _undo:
                _undo.pop()()


def _without_warnings() -> Callable[[], None]:
    # Entered by hand: filterwarnings would also forget which warnings have been shown once, and
    # show all of them again.
    entered = _filters()
    entered.insert(0, _IGNORED)

    def undo() -> None:
        for filters in (
            entered,
            _filters(),
        ):  # somebody's catch_warnings may have exchanged the list in between
            with suppress(ValueError):
                filters.remove(_IGNORED)

    return undo


def _filters() -> list[tuple[object, ...]]:
    return cast("list[tuple[object, ...]]", warnings.filters)


def _without_prints() -> Iterator[Callable[[], None]]:
    for setter in _libtiff():
        before = setter(None)
        yield lambda setter=setter, before=before: setter(before)  # type: ignore[misc]


def _without_logs() -> Iterator[Callable[[], None]]:
    logger = logging.getLogger(
        "PIL.TiffImagePlugin"
    )  # the one of Pillow's modules that logs errors
    if not logger.disabled:
        logger.disabled = True
        yield partial(setattr, logger, "disabled", False)


@cache
def _libtiff() -> tuple[Any, ...]:
    """The functions that set libtiff's handlers, found through Pillow's own module; or none."""
    try:
        library = ctypes.CDLL(_imaging.__file__)
        setters = [getattr(library, name) for name in _SETTERS]
    except (OSError, AttributeError, TypeError):
        return ()
    for setter in setters:
        setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
    return tuple(setters)
