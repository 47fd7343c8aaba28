"""The page in a real browser: an image is dropped on it, its boxes come; nothing is loaded from
elsewhere, nothing is injected."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.serve.conftest import TOKEN
from zoo.labels import space_of
from zoo.serve import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = '<img src=x onerror="window.hacked=1">'


def opened(browser: Browser, server: Server, width: int = 1440, scheme: str = "light") -> Page:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.asked, page.wrong = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.goto(server.url)
    return page


def give(page: Page, data: bytes, name: str = "scene.png") -> None:
    page.set_input_files("#file", {"name": name, "mimeType": "image/png", "buffer": data})


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_image_gets_its_boxes(
    width: int, scheme: str, browser: Browser, server: Server, png: Callable
) -> None:
    page = opened(browser, server, width, scheme)
    give(page, png(400, 300))
    page.wait_for_selector("g.found")
    assert page.locator("#rows li .name").all_inner_texts() == ["cat"]
    image = page.locator("#shown").bounding_box()
    box = page.locator("rect.box").bounding_box()
    assert abs(box["width"] / image["width"] - 0.5) < 0.02
    assert "1 detection by flat.toy in 400 × 300 pixels" in page.locator("#status").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#score").fill("0.95")
    assert page.locator("g.found").count() == 0
    assert page.wrong == []
    assert all(url.startswith((server.url, "blob:", "data:")) for url in page.asked)
    page.context.close()


def test_an_error_is_shown_in_its_parts(browser: Browser, server: Server) -> None:
    page = opened(browser, server)
    give(page, b"no image", "notes.png")
    page.wait_for_selector("#error:not([hidden])")
    assert "can't be read" in page.locator("#error").inner_text()
    assert page.locator("#error p").count() == 3
    page.context.close()


def test_names_are_text(browser: Browser, serving: Callable, flat: Callable, png: Callable) -> None:
    model = flat(name=f"{HOSTILE}.toy")
    model.label_space = space_of([HOSTILE, "dog"])
    page = opened(browser, serving(model))
    give(page, png(), f"{HOSTILE}.png")
    page.wait_for_selector("g.found")
    assert page.locator("#rows .name").inner_text() == HOSTILE
    assert page.evaluate("window.hacked") is None
    page.context.close()


def test_a_token_is_asked_for(
    browser: Browser, serving: Callable, flat: Callable, png: Callable
) -> None:
    page = opened(browser, serving(flat(), tokens=(TOKEN,)))
    page.wait_for_selector("#token:visible")
    page.fill("#token", TOKEN)
    page.locator("#token").blur()
    page.wait_for_selector("#model option", state="attached")
    give(page, png())
    page.wait_for_selector("g.found")
    page.context.close()
