"""The page in a real browser: filtered, ordered, enlarged; by mouse and keyboard; nothing loaded,
nothing injected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.leaderboard.test_page_layout import contrast
from zoo.gallery import Gallery

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

Show = Callable[..., "Page"]
HOSTILE = '</script><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


def counts(page: Page) -> list[str]:
    """Found, missed and false alarms, as the buttons say them."""
    return page.locator(".kinds strong").all_inner_texts()


def listed(page: Page) -> list[str]:
    """The names of the images that are shown, in their order."""
    return page.locator("figure.tile:visible .name").all_inner_texts()


def words(rows: Locator) -> list[str]:
    """The text of each row, its cells with a space between."""
    return [" ".join(text.split()) for text in rows.all_inner_texts()]


def lines(page: Page, image: int) -> list[str]:
    """The kinds of lines on an image, by its place in the data."""
    found = page.locator(f'figure[data-place="{image}"] path.line').all()
    return sorted(str(one.get_attribute("class")).split()[-1] for one in found)


def set_score(page: Page, score: float) -> None:
    slider = page.locator("#score")
    slider.fill(str(score))
    slider.dispatch_event("change")


def test_counts_and_boxes_follow_the_score(show: Show, known: Gallery) -> None:
    page = show(known)
    assert counts(page) == ["2", "1", "1"]
    assert lines(page, 0) == ["hit", "miss"]
    assert "66.7 % of 3 annotated boxes found" in page.locator("#count").inner_text()
    set_score(page, 0.55)  # the dog at .5 is gone, and so is what it found
    assert counts(page) == ["1", "2", "1"]
    assert lines(page, 1) == ["false", "miss"]
    set_score(page, 0.95)
    assert counts(page) == ["0", "3", "0"]
    assert page.locator("output").inner_text() == ".95"


def test_a_class_leaves_its_boxes_and_images(show: Show, known: Gallery) -> None:
    page = show(known)
    rows = page.locator("#panel tbody tr")
    assert sorted(words(rows)) == ["cat 1 0 1", "dog 1 1 0"]
    cat = page.get_by_role("button", name="cat", exact=True)
    cat.click()
    assert cat.get_attribute("aria-pressed") == "true"
    assert counts(page) == ["1", "0", "1"]
    assert listed(page) == ["b.jpg", "a.jpg"]  # worst first; c.jpg has none
    assert lines(page, 0) == ["hit"]
    page.get_by_role("button", name="all classes").click()
    assert counts(page) == ["2", "1", "1"]
    assert len(listed(page)) == 3


def test_outcomes_are_filtered_and_told_without_colour(show: Show, known: Gallery) -> None:
    page = show(known)
    for kind in ("hit", "false"):
        page.locator(f"button[data-kind={kind}]").click()
    assert listed(page) == ["a.jpg"]
    assert lines(page, 0) == ["miss"]
    dashes = page.locator('figure[data-place="0"] path.line').evaluate(
        "(line) => getComputedStyle(line).strokeDasharray"
    )
    assert dashes != "none"
    assert page.locator("#panel td.hit").first.inner_text() == "–"
    page.get_by_label("images without boxes").check()
    assert len(listed(page)) == 3
    assert page.locator(".counts").first.inner_text() == "○ 1"


def test_what_does_not_count_is_shown_where_asked(show: Show, known: Gallery) -> None:
    page = show(known)
    assert lines(page, 1) == ["false", "hit"]
    page.get_by_label("all annotated boxes").check()
    assert lines(page, 1) == ["annotated", "aside", "crowd", "false", "hit"]
    assert counts(page) == ["2", "1", "1"]


def test_an_image_is_enlarged_and_the_keys_lead_on(show: Show, known: Gallery) -> None:
    page = show(known)
    page.locator("figure.tile button").first.click()
    name, place = page.locator("#viewer-name"), page.locator("#viewer-place")
    first = name.inner_text()
    assert first in ("a.jpg", "b.jpg")
    assert place.inner_text().startswith("1 of 3")
    page.keyboard.press("ArrowLeft")  # there is none before the first
    assert name.inner_text() == first
    page.keyboard.press("End")
    assert name.inner_text() == "c.jpg"
    assert page.locator("#boxes").inner_text() == "No box passes the filters."
    page.keyboard.press("ArrowLeft")
    assert place.inner_text().startswith("2 of 3")
    page.keyboard.press("Escape")
    assert not page.locator("#viewer").is_visible()
    page.wait_for_function(
        "(name) => document.activeElement.getAttribute('aria-label')?.startsWith(name)",
        arg=listed(page)[1],
    )
    page.keyboard.press("Enter")
    assert page.locator("#viewer").is_visible()


def test_the_list_of_an_image_says_every_box(show: Show, known: Gallery) -> None:
    page = show(known, end="#image=2")
    rows = page.locator("#boxes tbody tr")
    assert words(rows) == ["cat false alarm .60", "dog found .50"]
    assert "2 weaker detections" in page.locator("#boxes").inner_text()
    rows.first.hover()
    assert page.locator("#stage .mark.lit").count() == 1
    assert page.locator("#stage .label.lit").inner_text() == "✕ cat .60"


def test_a_view_can_be_kept(show: Show, known: Gallery) -> None:
    page = show(known)
    set_score(page, 0.55)
    page.get_by_role("button", name="dog", exact=True).click()
    page.locator("select[name=order]").select_option("name")
    there, seen = page.url, (counts(page), listed(page))
    page.goto("about:blank")
    page.goto(there)
    assert (counts(page), listed(page)) == seen
    assert page.locator("output").inner_text() == ".55"


@pytest.mark.parametrize("end", ["#score=7&class=no&without=no&order=no&image=9", "#%00&image=x"])
def test_a_link_to_what_there_is_not_opens_the_page_as_it_begins(
    end: str, show: Show, known: Gallery
) -> None:
    page = show(known, end=end)
    assert counts(page) == ["2", "1", "1"]
    assert not page.locator("#viewer").is_visible()


def test_without_truth_boxes_have_the_colours_of_their_classes(
    show: Show, unknown: Gallery
) -> None:
    page = show(unknown)
    assert page.locator(".kinds").count() == 0
    assert sorted(words(page.locator("#panel tbody tr"))) == ["cat 2", "dog 2"]
    assert listed(page) == ["a.jpg", "b.jpg", "c.jpg"]
    strokes = page.locator('figure[data-place="1"] path.line').evaluate_all(
        "(lines) => lines.map((line) => line.style.stroke)"
    )
    assert strokes == ["rgb(255, 159, 28)", "rgb(37, 210, 252)"]
    assert page.locator(".counts").all_inner_texts() == ["cat", "dog ×2, cat", "nothing"]


def test_what_is_left_out_and_what_can_not_be_read_is_said(show: Show, known: Gallery) -> None:
    gallery = replace(
        known, total=90, chosen="the worst", unreadable=[("d.jpg", "It is cut short.")]
    )
    page = show(gallery)
    assert "3 images of 90: the worst. Counts are of these." in page.inner_text("#summary")
    page.get_by_text("Could not be read: 1 image").click()
    assert page.get_by_text("d.jpg It is cut short.").is_visible()
    page.get_by_text("Where this page is from").click()
    assert page.locator("#foot dd").all_inner_texts() == ["toy"]


def test_a_page_without_images_says_so(show: Show, known: Gallery) -> None:
    page = show(replace(known, images=(), total=0))
    assert page.get_by_text("There is no image to show.").is_visible()


def test_names_are_text_wherever_they_stand(show: Show, known: Gallery) -> None:
    images = tuple(replace(one, name=HOSTILE) for one in known.images)
    gallery = replace(
        known,
        title=HOSTILE,
        names=[HOSTILE] * 3,
        images=images,
        chosen=HOSTILE,
        unreadable=[(HOSTILE, HOSTILE)],
        summary=[HOSTILE],
        facts={HOSTILE: HOSTILE},
    )
    page = show(gallery)
    page.locator("figure.tile button").first.click()
    assert page.locator("#viewer-name").get_attribute("title") == HOSTILE
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_the_page_fits_the_screen_and_its_text_stands_out(
    width: int, scheme: str, show: Show, known: Gallery
) -> None:
    """WCAG 2.2 asks for a contrast of 4.5 to 1."""
    images = tuple(replace(one, name="unbroken" * 20) for one in known.images)
    page = show(replace(known, images=images, names=["class" * 20] * 3), width=width, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    colors = page.evaluate(
        """() => { const style = getComputedStyle(document.documentElement);
        return Object.fromEntries(['paper', 'card', 'hit', 'miss', 'false', 'quiet']
          .map((name) => [name, style.getPropertyValue('--' + name).trim()])); }"""
    )
    for text in ("hit", "miss", "false", "quiet"):
        for behind in ("paper", "card"):
            assert contrast(colors[text], colors[behind]) >= 4.5, (text, behind)
    page.locator("figure.tile button").first.click()
    assert page.evaluate("document.querySelector('#viewer').scrollWidth") <= width
    stage, room = page.locator("#stage").bounding_box(), page.locator(".room").bounding_box()
    assert stage
    assert room
    assert stage["width"] <= room["width"] + 1
    assert stage["height"] <= room["height"] + 1


def test_five_hundred_images_stay_quick(show: Show, known: Gallery) -> None:
    """A step of the slider, with all its counts and drawings, in half a second of script."""
    crowd = [(0, 9999 - place, *known.images[0].found[0][2:6], -1) for place in range(100)]
    images = tuple(replace(known.images[1], found=crowd, name=f"{at}.jpg") for at in range(500))
    page = show(replace(known, images=images, total=500))
    page.evaluate("at('score').value = 0.99")
    took = page.evaluate(
        "() => { const begun = performance.now(); at('score').dispatchEvent(new Event('input'));"
        " return performance.now() - begun; }"
    )
    assert took < 500 * 8  # a machine that does much else at once is slower
    drawn = page.locator("figure.tile path.line").count()
    assert 0 < drawn < 500  # those near the window alone
