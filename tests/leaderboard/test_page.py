"""The page in a real browser: sorted, filtered, opened, plotted; by mouse and keyboard; nothing
loaded, nothing injected."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from tests.leaderboard.conftest import board_of
from zoo.leaderboard import Entry, Leaderboard
from zoo.leaderboard.entry import ModelWeights
from zoo.leaderboard.site import page as html_of
from zoo.leaderboard.table import Failure

if TYPE_CHECKING:
    from playwright.sync_api import Page


HOSTILE = '</script><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


def rows(page: Page) -> list[str]:
    """The names of the rows, from the top."""
    return page.locator("tr.line .label").all_inner_texts()


def test_rows_are_best_first_and_a_heading_sorts_by_its_column(show, entries):
    page = show(entries)
    assert rows(page) == ["exact", "middle", "fast"]
    params = page.locator("th[data-key=parameters]")
    assert params.get_attribute("aria-sort") == "none"
    params.get_by_role("button").click()
    assert rows(page) == ["fast", "middle", "exact"]
    assert page.locator("th[data-key=parameters]").get_attribute("aria-sort") == "ascending"
    page.locator("th[data-key=parameters] button").click()
    assert rows(page) == ["exact", "middle", "fast"]
    assert page.locator("th[data-key=parameters]").get_attribute("aria-sort") == "descending"


def test_what_is_not_known_is_last_whichever_way_it_is_sorted(show, entries):
    page = show(entries)
    for _ in range(2):
        page.locator("th[data-key=latency] button").click()
        assert rows(page)[-1] == "exact"


@pytest.mark.parametrize(
    ("name", "value", "left"),
    [
        ("license", "permissive", ["middle", "fast"]),
        ("license", "AGPL-3.0-only", ["exact"]),
        ("family", "Tools", ["exact"]),
        ("most", "5", ["middle", "fast"]),
        ("most", "1", ["fast"]),
    ],
)
def test_a_filter_leaves_what_it_says_in_table_and_plot(name, value, left, show, entries):
    page = show(entries)
    page.get_by_role("button", name="Parameters").click()
    page.locator(f"select[name={name}]").select_option(value)
    assert rows(page) == left
    assert page.locator("g.point").count() == len(left)
    assert page.locator("#count").inner_text() == f"{len(left)} of 3 models"


def test_a_name_is_searched_for_while_it_is_typed(show, entries):
    page = show(entries)
    page.locator("input[name=text]").press_sequentially("MID")
    assert rows(page) == ["middle"]


def test_a_row_opens_to_its_report_with_mouse_and_keyboard(show, entries):
    page = show(entries)
    opener = page.get_by_role("button", name="middle", exact=True)
    assert opener.get_attribute("aria-expanded") == "false"
    opener.click()
    report = page.locator("tr.inside")
    for title in (
        "Numbers",
        "Precision and recall",
        "What its mistakes cost",
        "Against the others",
        "Classes",
        "Where the numbers are from",
    ):
        assert report.get_by_role("heading", name=title, exact=True).is_visible()
    assert report.locator("path.curve").count() == 3
    assert report.get_by_text("99 on toys").is_visible()
    assert "Annotations' sha256" in report.inner_text()
    assert (
        report.get_by_role("link", name="The entry as JSON").get_attribute("href")
        == "entries/middle-at-toys.json"
    )
    assert report.get_by_role("heading", name="What the checks found").is_visible()
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    page.keyboard.press("Enter")
    assert page.locator("tr.inside").count() == 0


def test_a_row_is_held_against_every_other_with_the_numbers_of_its_pair(show, entries):
    page = show(entries)
    [table] = board_of(entries, (), ("toys",)).tables
    for at, line in enumerate(table.lines):
        name = line.entry.name
        page.get_by_role("button", name=name, exact=True).click()
        shown = page.locator("tr.inside .part", has_text="Against the others").locator("tbody tr")
        seen = {row.split()[0]: row.split()[1:] for row in shown.all_inner_texts()}
        assert seen.keys() == {one.entry.name for one in table.lines} - {name}
        for other, one in enumerate(table.lines):
            if other != at:
                gap, *p_value = seen[one.entry.name]
                ap = 100 * (one.entry.report.ap - line.entry.report.ap)
                adjusted = table.pairs.p_values[table.pairs.place(at, other)]
                assert gap == f"{ap:+.1f},".replace("-", "−")
                assert p_value == (
                    ["p", "<", "0.01"] if adjusted < 0.01 else ["p", "=", f"{adjusted:.2f}"]
                )
        page.get_by_role("button", name=name, exact=True).click()


@pytest.fixture
def many(make_entry) -> list[Entry]:
    """More models than a page shows rows at once, of a dozen qualities."""
    return [
        make_entry(f"model-{number:03}", quality=0.4 + 0.05 * (number % 12), seed=number % 12)
        for number in range(130)
    ]


def test_of_many_rows_the_first_are_drawn_and_the_others_when_asked_for(show, many):
    page = show(many)
    first = rows(page)
    assert len(first) == 100
    page.get_by_role("button", name="30 more rows").click()
    assert rows(page)[:100] == first
    assert len(rows(page)) == 130
    assert page.evaluate("document.activeElement.textContent") == rows(page)[100]
    page.get_by_label("Name").fill("model-00")
    assert len(rows(page)) == 10
    assert page.get_by_role("button", name="more row").count() == 0


def test_a_row_behind_the_first_is_there_when_a_point_or_a_link_opens_it(show, many):
    page = show(many)
    last = board_of(many, (), ("toys",)).tables[0].lines[-1].entry.name
    assert last not in rows(page)
    page.locator(f'g.point[aria-label^="{last}:"]').dispatch_event("click")
    assert page.locator("tr.line.open .label").all_inner_texts() == [last]
    there = page.url
    page.goto("about:blank")
    page.goto(there)
    assert page.locator("tr.line.open .label").all_inner_texts() == [last]


def test_of_many_others_the_nearest_are_shown_and_all_when_asked_for(show, many):
    page = show(many)
    page.locator("tr.line .opener").nth(40).click()
    part = page.locator("tr.inside .part", has_text="Against the others")
    name, near = rows(page)[40], part.locator("tbody th").all_inner_texts()
    assert len(near) == 20
    part.get_by_role("button", name="All 129 others").click()
    everyone = part.locator("tbody th").all_inner_texts()
    assert len(everyone) == 129
    assert name not in everyone
    assert [other for other in everyone if other in near] == near


def test_of_many_points_those_on_the_front_have_intervals_and_names(show, many, entries):
    page = show(entries)
    assert page.locator("#plot .whisker").count() == page.locator("g.point").count()
    page = show(many)
    assert page.locator("g.point").count() == 130
    assert 0 < page.locator("#plot .whisker").count() < 20
    assert page.locator("#plot text.name").count() <= page.locator("#plot .whisker").count()
    assert "of the models on the Pareto front" in page.locator("#plot-note").inner_text()


def test_an_image_shows_the_boxes_of_whichever_model_is_asked_for(show, entries):
    page = show(entries)
    page.get_by_role("button", name="exact", exact=True).click()
    assert page.locator(".image rect.hit").count() == 1
    page.locator(".choices").get_by_role("button", name="fast").click()
    assert page.locator(".image rect.hit").count() == 0
    assert page.locator(".image rect.true").count() == 1


def test_a_point_says_what_it_is_and_opens_its_row(show, entries):
    page = show(entries)
    point = page.locator("g.point").first
    point.hover()
    tip = page.locator(".tip")
    assert tip.is_visible()
    assert "middle" in tip.inner_text()
    assert "AP" in tip.inner_text()
    point.focus()
    page.keyboard.press("Enter")
    assert page.locator("tr.line.open .label").inner_text() == "middle"


def test_the_front_is_those_that_no_other_beats_in_both(show, entries):
    page = show(entries)
    page.get_by_role("button", name="Parameters").click()
    corners = re.findall("[MHV]", page.locator("#plot path.front").first.get_attribute("d"))
    assert corners == [
        "M",
        "H",
        "V",
        "H",
        "V",
        "H",
    ]  # each of the three is better than all that are smaller


def test_what_went_wrong_is_on_the_page(show, entries):
    page = show(entries, failures=(Failure("lost", "toys", "No weights."),))
    page.get_by_text("Not measured: 1").click()
    assert page.get_by_text("lost on toys: No weights.").is_visible()
    assert page.get_by_text("The checks found something in 1 row").is_visible()


def test_what_the_checks_found_is_told_once_by_the_name_of_the_check_and_leads_to_its_row(
    show, entries
):
    page = show(entries)
    page.get_by_text("The checks found something in 1 row").click()
    problems = page.locator("#problems li")
    assert problems.all_inner_texts() == ["middle far_from_claim"]
    problems.get_by_role("button", name="middle").click()
    assert page.locator("tr.line.open .label").inner_text() == "middle"
    assert page.get_by_text("is claimed, a difference of").count() == 1


def test_the_plot_begins_with_what_more_than_half_of_the_rows_have(show, entries):
    pressed = "#axes button[aria-pressed=true]"
    assert show(entries).locator(pressed).inner_text() == "Latency"
    page = show([entries[0], *(structs.replace(one, timing=None) for one in entries[1:])])
    assert page.locator(pressed).inner_text() == "Parameters"
    assert page.locator("g.point").count() == 3


def test_never_trained_models_have_no_rank_and_are_not_on_the_front(show, entries):
    fast = structs.replace(
        entries[0], model=structs.replace(entries[0].model, weights=ModelWeights(source="random"))
    )
    page = show([fast, *entries[1:]])
    name = fast.name
    assert page.locator(f"tr[data-name={name}] td.c-rank").inner_text() == "–"
    page.locator(f'g.point[aria-label^="{name}:"]').hover()
    assert page.locator(".tip").inner_text().startswith(name)
    assert "Pareto" not in page.locator(".tip").inner_text()


def test_a_view_can_be_linked_to(show, entries):
    page = show(entries)
    page.locator("th[data-key=parameters] button").click()
    page.get_by_label("Name").fill("i")
    page.get_by_role("button", name="middle", exact=True).click()
    page.locator("#axes button", has_text="Parameters").click()
    there, seen = page.url, rows(page)
    page.goto("about:blank")
    page.goto(there)
    assert rows(page) == seen
    assert page.locator("tr.line.open .label").inner_text() == "middle"
    assert page.locator("th[data-key=parameters]").get_attribute("aria-sort") == "ascending"
    assert page.get_by_label("Name").input_value() == "i"
    assert page.locator("#axes button[aria-pressed=true]").inner_text() == "Parameters"


@pytest.mark.parametrize(
    "end", ["#data=no&sort=no+up&cost=no&row=no", "#sort=&most=x&family=", "#%00=1", "#rows"]
)
def test_a_link_to_what_there_is_not_opens_the_page_as_it_begins(end, show, entries):
    page = show(entries)
    plain, seen = page.url, rows(page)
    page.goto("about:blank")
    page.goto(f"{plain.partition('#')[0]}{end}")
    assert set(rows(page)) <= set(seen)
    page.get_by_role("button", name="middle", exact=True).click()


def test_a_board_without_rows_says_so(show):
    page = show([], tables=(), failures=(Failure("toy", None, "No card or alias has that name."),))
    assert (
        page.locator("#facts")
        .inner_text()
        .startswith("No row could be measured and put into a table.")
    )
    assert page.locator("section.card:visible").count() == 0
    page.locator("details.problems summary").click()
    assert page.get_by_text("toy: No card or alias has that name.").count() == 1


def test_what_was_timed_on_other_hardware_says_so_and_is_not_drawn_among_the_others(show, entries):
    there = structs.replace(
        entries[0].timing, hardware="An accelerator", threads=None, median_ms=0.5
    )
    page = show(
        [*entries[1:], structs.replace(entries[0], timing=there), renamed(entries[2], "fourth")]
    )
    page.get_by_role("button", name="Latency").first.click()
    assert page.locator("g.point").count() == 2
    assert "from that hardware: 2 of 4" in page.locator("#plot-note").inner_text()
    cell = page.locator("tr[data-name=fast] td.c-latency")
    assert cell.inner_text().split("\n") == ["0.50", "p95 12.0", "on An accelerator"]
    page.locator("th[data-key=latency] button").click()
    assert set(rows(page)[2:]) == {"fast", "exact"}  # what can't be compared is not the fastest


def renamed(entry: Entry, name: str) -> Entry:
    return structs.replace(entry, model=structs.replace(entry.model, name=name))


def test_two_data_sets_are_two_tables(show, entries):
    elsewhere = [
        structs.replace(renamed(one, f"{one.name} too"), data="streets") for one in entries[:2]
    ]
    page = show([*entries, *elsewhere], tables=("toys", "streets"))
    assert rows(page) == ["exact", "middle", "fast"]
    page.get_by_role("button", name="streets").click()
    assert rows(page) == ["exact too", "fast too"]
    assert "2 models on streets" in page.locator("#facts").inner_text()
    assert page.locator("g.point").count() == 2
    page.locator("details.problems summary").first.click()
    page.get_by_role("button", name="middle on toys").click()
    assert rows(page)[0] == "exact"
    assert page.locator("tr.line.open .label").inner_text() == "middle"


def test_names_are_text_wherever_they_stand(show, make_entry):
    """Markup in every field that others write: nothing of it runs, all of it is read."""
    entry = make_entry(HOSTILE, family=HOSTILE, license="MIT", quality=0.6, claimed=1.0)
    model = structs.replace(
        entry.model, note=HOSTILE, weights=structs.replace(entry.model.weights, source=HOSTILE)
    )
    page = show(
        [structs.replace(entry, model=model, protocol={HOSTILE: HOSTILE}), make_entry("other")],
        failures=(Failure(HOSTILE, HOSTILE, HOSTILE),),
    )
    assert HOSTILE in rows(page)
    page.locator("g.point").first.hover()
    page.locator("tr.line .opener").first.click()
    page.locator("tr.line .opener").last.click()
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x]").count() == 0


def test_a_board_without_rows_is_a_page_too(browser, tmp_path):
    board = Leaderboard(
        "Nothing", None, "uniform", {}, "2026-01-01", "0.1.0", (), (), ("a on toys",), ()
    )
    (tmp_path / "index.html").write_text(html_of(board), encoding="utf-8")
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((tmp_path / "index.html").as_uri())
    assert page.get_by_role("heading", name="Nothing").is_visible()
    assert errors == []
    page.close()
