"""An entry travels as JSON; what is wrong in one is named by file and field."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from zoo.errors import DataError
from zoo.leaderboard import Entry
from zoo.leaderboard.entry import file_name
from zoo.registry.card import Claim


def test_an_entry_comes_back_from_its_file_as_it_was(make_entry, tmp_path):
    entry = make_entry(claimed=40.0)
    stored = entry.write(tmp_path / "entry.json")
    assert structs.replace(stored, seal=None) == entry
    assert Entry.read(tmp_path / "entry.json") == stored
    assert [one.name for one in tmp_path.iterdir()] == ["entry.json"]


def test_numbers_without_provenance_are_not_stored(make_entry, tmp_path):
    entry = make_entry()
    with pytest.raises(DataError, match="a number without provenance is not stored"):
        structs.replace(entry, report=replace(entry.report, provenance=None)).write(
            tmp_path / "entry.json"
        )
    assert not (tmp_path / "entry.json").exists()


def test_a_claim_on_the_same_data_set_comes_before_others(make_entry):
    entry = make_entry(claimed=40.0)
    claims = [
        Claim(dataset="coco_val2017", metric="AP", value=1.0, source="a paper"),
        *entry.model.published.claims,
    ]
    model = structs.replace(
        entry.model, published=structs.replace(entry.model.published, claims=claims)
    )
    assert structs.replace(entry, model=model).claim().value == 40.0
    assert structs.replace(entry, model=model, data="other").claim().dataset == "coco_val2017"
    assert make_entry().claim() is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"extra": 1}, "extra"),
        ({"format": 2}, "format"),
        ({"data": 3}, "data"),
        ({"model.name": ""}, "model.name"),
        ({"model.name": "a\nb"}, "model.name"),
        ({"model.parameters": -1}, "model.parameters"),
        ({"model.weights.sha256": "xyz"}, "model.weights.sha256"),
        ({"timing.median_ms": 0}, "timing.median_ms"),
        ({"timing.median_ms": "fast"}, "timing.median_ms"),
        ({"report.numbers.AP": "high"}, "report.numbers.AP"),
        ({"report.numbers.AP": 33.6}, "report.numbers.AP"),
        ({"report.per_class.cat.ap": 2}, "report.per_class.cat.ap"),
        ({"report.per_class.cat.boxes": None}, "report.per_class.cat.boxes"),
        ({"report.resamplings.numbers.AP": [0.5]}, "report.resamplings.numbers"),
        ({"report.curves.AP50": [1.5]}, r"report.curves.AP50\[0\]"),
        ({"protocol.score": [1]}, "protocol.score"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named_with_its_file(change, field, make_entry, tmp_path):
    make_entry().write(tmp_path / "mine.json")
    content = json.loads((tmp_path / "mine.json").read_text())
    for path, value in change.items():
        *way, last = path.split(".")
        place = content
        for step in way:
            place = place[step]
        place[last] = value
    (tmp_path / "mine.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=rf"(?s)mine\.json' was read.*'{field}'"):
        Entry.read(tmp_path / "mine.json")


names = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=120)


@given(names, names, names, names)
def test_no_two_rows_share_a_file(a, data_a, b, data_b):
    one, two = file_name(a, data_a), file_name(b, data_b)
    assert (one == two) == ((a, data_a) == (b, data_b))
    assert "/" not in one
    assert not one.startswith(".")
    assert len(one) < 200


@pytest.mark.parametrize(
    ("one", "other"), [(("a-at-b", "c"), ("a", "b-at-c")), (("Mine", "toys"), ("mine", "toys"))]
)
def test_names_that_look_alike_have_files_of_their_own(one, other):
    assert file_name(*one).lower() != file_name(*other).lower()


def fields_of(kind: type, at: str = "") -> set[str]:
    """Every field of an entry, by its path; a claim's and a report's are described elsewhere."""
    made = set()
    for one in structs.fields(kind):
        parts = [
            part
            for part in (one.type, *get_args(one.type))
            if isinstance(part, type) and issubclass(part, msgspec.Struct)
        ]
        inside = [part for part in parts if part is not Claim]
        made |= fields_of(inside[0], f"{at}{one.name}.") if inside else {at + one.name}
    return made


def test_the_documentation_describes_exactly_the_fields_that_an_entry_has():
    text = (Path(__file__).parents[2] / "docs/reference/leaderboard.md").read_text(encoding="utf-8")
    fields = text.partition("## The fields of an entry")[2]
    names = [row.partition(": ")[0] for row in re.findall("^- .*", fields, re.MULTILINE)]
    assert {name for row in names for name in re.findall("`(.*?)`", row)} == fields_of(Entry)
