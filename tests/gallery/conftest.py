"""Galleries with a few made-up images, and their pages in a browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from zoo.gallery import Gallery, ShownImage
from zoo.gallery.shown import ASIDE, FALSE
from zoo.gallery.write import html_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser import Open

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
BOX = (1000, 1000, 4000, 4000)
CAT, DOG = 0, 2  # there is a class between that no box has


@pytest.fixture
def known() -> Gallery:
    """Three images with truth.

    a.jpg: a cat found at .9, a dog missed. b.jpg: a dog found at .5, a false cat at .6, a detection
    on a crowd. c.jpg: nothing at all.
    """
    images = (
        ShownImage(
            "a.jpg", 200, 100, PIXEL, [(CAT, 9000, *BOX, 0)], [(CAT, *BOX, 0), (DOG, *BOX, 0)]
        ),
        ShownImage(
            "b.jpg",
            100,
            200,
            PIXEL,
            [(CAT, 6000, *BOX, FALSE), (DOG, 5000, *BOX, 0), (DOG, 4500, *BOX, ASIDE)],
            [(DOG, *BOX, 0), (DOG, *BOX, 1)],
            more=2,
        ),
        ShownImage("c.jpg", 100, 100, PIXEL),
    )
    return Gallery(
        title="toy on toys",
        names=["cat", "cow", "dog"],
        images=images,
        score=0.4,
        lowest=0.01,
        iou=0.5,
        total=3,
        facts={"model": "toy"},
    )


@pytest.fixture
def unknown(known: Gallery) -> Gallery:
    """The same detections without truth."""
    images = tuple(
        replace(one, truth=(), found=[(*box[:-1], FALSE) for box in one.found])
        for one in known.images
    )
    return replace(known, images=images, iou=None, lowest=0.4)


@pytest.fixture
def show(open_page: Open) -> Callable[..., Page]:
    """(gallery, width, scheme, end) -> its page."""

    def made(gallery: Gallery, **options: object) -> Page:
        page = open_page(html_of(gallery), **options)
        page.wait_for_selector("#title:not(:empty)")
        return page

    return made
