"""What one entry says that can't be is caught, and what others say of it is not held against it where they were changed."""

from dataclasses import replace

import pytest
from msgspec import structs

from zoo.errors import DataError
from zoo.leaderboard import Entry, check
from zoo.registry.card import Claim


def found(entries):
    """(check, entry, field) of every finding."""
    return {(one.check, one.entry, one.field) for one in check(entries)}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"median_ms": 0.0001, "p95_ms": 0.0001}, "median_ms"),  # 1.5 GFLOPs
        ({"gflops": 0.0001}, "gflops"),
        ({"peak_mb": 1.0}, "peak_mb"),
        ({"p95_ms": 1.0}, "p95_ms"),
        ({"runs": 0}, "runs"),
    ],
    ids=str,
)
def test_a_timing_that_no_machine_gives_is_caught(changes, field, make_entry):
    entry = make_entry()
    entry = structs.replace(entry, timing=structs.replace(entry.timing, **changes))
    assert found([entry]) == {("odd_timing", "toy", f"timing.{field}")}


def test_little_memory_of_an_accelerator_may_be(make_entry):
    entry = make_entry()
    timing = structs.replace(entry.timing, hardware="An accelerator", threads=None, peak_mb=20.0)
    assert found([structs.replace(entry, timing=timing)]) == set()


def test_a_file_too_small_for_its_network_is_caught(make_entry):
    entry = make_entry()
    model = structs.replace(entry.model, weights=structs.replace(entry.model.weights, bytes=1))
    [finding] = check([structs.replace(entry, model=model)])
    assert (finding.check, finding.field) == ("odd_facts", "model.weights.bytes")
    assert finding.case.startswith("1 byte is less than a bit for each of 1,000,000")


@pytest.mark.parametrize(("when", "said"), [("yesterday", "is no time"), ("2999-01-01", "is still to come")])
def test_a_measurement_at_no_time_or_in_the_future_is_caught(when, said, make_entry):
    entry = make_entry()
    report = replace(entry.report, provenance={**entry.report.provenance, "finished": when})
    [finding] = check([structs.replace(entry, report=report)])
    assert (finding.check, finding.field) == ("odd_facts", "report.provenance.finished")
    assert said in finding.case


def test_a_claim_of_more_than_a_hundred_percent_is_refused_with_its_field(make_entry, tmp_path):
    entry = make_entry()
    claims = [Claim(dataset="toys", metric="AP", value=9900.0, source="a paper")]
    model = structs.replace(entry.model, published=structs.replace(entry.model.published, claims=claims))
    structs.replace(entry, model=model).write(tmp_path / "a.json")
    with pytest.raises(DataError, match=r"claims\[0\]\.value' is 9900, and AP a share of one hundred"):
        Entry.read(tmp_path / "a.json")


def test_copies_are_told_once_each_and_not_in_pairs(make_entry):
    copies = [make_entry(name, sha256="a" * 64) for name in "abcde"]
    assert sorted(one.entry for one in check(copies) if one.check == "same_numbers") == ["b", "c", "d", "e"]
    assert sorted(one.entry for one in check(copies) if one.check == "same_weights") == ["b", "c", "d", "e"]


def test_an_entry_that_was_changed_accuses_nobody(make_entry, tmp_path):
    forged = structs.replace(make_entry("forged").write(tmp_path / "forged.json"), model=make_entry("other").model)
    assert found([forged, make_entry("honest")]) == {
        ("changed", "other", "seal"),
        ("other_provenance", "other", "model.weights.source"),
    }


def test_what_keeps_an_entry_out_of_the_table_is_said_first(make_entry):
    entries = [
        make_entry("a", license="APGL-3.0"),
        make_entry("b", quality=0.6),
        make_entry("c", quality=0.7, protocol={"score": 0.3}),
    ]
    assert [one.check for one in check(entries)][-1] == "unknown_license"
