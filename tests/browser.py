"""A real Chromium for the tests of pages, and what a page may not do in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Open = Callable[..., "Page"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A Chromium without a window; without one, the test is skipped."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="needs playwright: pip install playwright"
    )
    found = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if found is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_api.sync_playwright() as player:
        # Chromium's sandbox refuses to run for the superuser, as which containers run tests
        made = player.chromium.launch(executable_path=found, chromium_sandbox=os.geteuid() != 0)
        yield made
        made.close()


def listen(page: Page, wrong: list[str]) -> None:
    """Collects what a page complains of and what it asks a network for."""

    def requested(address: str) -> None:
        if not address.startswith(("file:", "data:")):
            wrong.append(address)

    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: requested(request.url))


@contextmanager
def opener(browser: Browser, folder: Path) -> Iterator[Open]:
    """(html, width, scheme) -> the page; afterwards nothing may have gone wrong in it."""
    wrong: list[str] = []
    contexts = []

    def opened(html: str, *, width: int = 1440, scheme: str = "light", end: str = "") -> Page:
        (folder / "index.html").write_text(html, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        listen(page, wrong)
        page.goto((folder / "index.html").as_uri() + end)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []
