"""The page fits the screen: columns, widths and colours, on a phone and on a desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from zoo.registry.card import Claim, Licenses

if TYPE_CHECKING:
    pass


def test_what_is_known_of_no_row_takes_no_room(show, entries):
    heads, costs = "th[data-key]", "#axes button"
    timed = show(entries).locator(f"{heads}, {costs}").all_inner_texts()
    untimed = (
        show([structs.replace(one, timing=None) for one in entries])
        .locator(f"{heads}, {costs}")
        .all_inner_texts()
    )
    gone = [name for name in timed if name not in untimed]
    assert [name.split("\n")[0].strip() for name in gone] == [
        "Latency",
        "Operations",
        "Memory",
        "Ops",
        "Latency",
        "Memory",
    ]


@pytest.mark.parametrize(("timed", "cost"), [(True, "c-latency"), (False, "c-parameters")])
def test_on_a_phone_a_row_has_one_cost(timed, cost, show, entries):
    page = show([one if timed else structs.replace(one, timing=None) for one in entries], width=390)
    cells = page.locator("tr.line").first.locator("td:visible")
    assert [cell.get_attribute("class").split()[-1] for cell in cells.all()] == [
        "c-rank",
        "c-model",
        "c-ap",
        cost,
    ]


@pytest.mark.parametrize(
    "name",
    ["unbroken" * 15, "a_name_of_" * 12, "many words " * 10 + "end"],
    ids=["word", "parts", "words"],
)
@pytest.mark.parametrize(("width", "last"), [(390, "c-latency"), (1440, "c-gap")])
def test_a_long_name_hides_no_number(name, width, last, show, make_entry):
    """Nor do long licences and data sets, on the widths of a phone and a desk."""
    claim = Claim(
        dataset="another_data_set_of_a_long_name", metric="AP", value=51.25, source="a paper"
    )
    entry = make_entry(
        name[:120], license="LicenseRef-somebody-s-own-and-long", family="family" * 20, quality=0.6
    )
    model = structs.replace(
        entry.model, licenses=Licenses(code="AGPL-3.0-only", weights="CC-BY-NC-4.0")
    )
    model = structs.replace(
        model, published=structs.replace(model.published, claims=[claim]), parameters=1_234_567_890
    )
    page = show(
        [structs.replace(entry, model=model), make_entry("short", claimed=12.0)], width=width
    )
    place = page.locator("#rows").bounding_box()
    for row in page.locator("tr.line").all():
        for cell in ("c-ap", last):
            box = row.locator(f"td.{cell}").bounding_box()
            assert place["x"] <= box["x"], cell
            assert box["x"] + box["width"] <= place["x"] + place["width"] + 1, cell
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("tr.line .opener").first.bounding_box()["height"] < 120


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_is_never_wider_than_the_screen(width, show, entries):
    page = show(entries, width=width)
    page.get_by_role("button", name="exact", exact=True).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (
        page.evaluate(
            "(() => { const one = document.querySelector('#rows'); return one.scrollWidth - "
            "one.clientWidth; })()"
        )
        <= 1
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(scheme, show, entries):
    """WCAG 2.2 asks for a contrast of 4.5 to 1."""
    page = show(entries, scheme=scheme)
    colors = page.evaluate(
        """() => { const style = getComputedStyle(document.documentElement);
        return Object.fromEntries(['paper', 'card', 'soft', 'ink', 'quiet', 'accent', 'warn',
          'warn-soft'] .map((name) => [name, style.getPropertyValue('--' + name).trim()])); }"""
    )
    for text, behind in [
        ("ink", "paper"),
        ("ink", "card"),
        ("quiet", "paper"),
        ("quiet", "card"),
        ("quiet", "soft"),
        ("accent", "card"),
        ("accent", "soft"),
        ("warn", "warn-soft"),
    ]:
        assert contrast(colors[text], colors[behind]) >= 4.5, (text, behind)


def contrast(one: str, other: str) -> float:
    """WCAG's contrast of two colours as #rrggbb."""
    lights = []
    for color in (one, other):
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)
