"""A table: rows best first, with ranks, differences, claims, findings and where they were timed."""

import pytest
from msgspec import structs

from zoo.leaderboard import check
from zoo.leaderboard.entry import RANDOM, ModelWeights
from zoo.leaderboard.table import Failure, table_of


def by_name(table):
    return {line.entry.name: line for line in table.lines}


def test_the_best_comes_first_and_has_the_first_rank(make_entry):
    entries = [make_entry("worse", quality=0.3, seed=1), make_entry("better", quality=0.9)]
    table = table_of("toys", entries, [])
    assert [line.entry.name for line in table.lines] == ["better", "worse"]
    assert [line.ranks for line in table.lines] == [(1, 1), (2, 2)]
    measured = entries[0].report.measured
    assert (table.images, table.boxes, table.sha256) == (
        measured.images,
        measured.boxes,
        measured.sha256,
    )


def test_comparisons_are_named_by_the_places_of_the_lines(make_entry):
    entry = make_entry("random", quality=0.8)
    model = structs.replace(entry.model, weights=ModelWeights(source=RANDOM))
    trained = [make_entry("a", quality=0.9), make_entry("b", quality=0.3, seed=1)]
    table = table_of("toys", [structs.replace(entry, model=model), *trained], [])
    assert [line.entry.name for line in table.lines] == ["a", "random", "b"]
    assert table.pairs.models == (0, 2)
    assert len(table.pairs.reach) == len(table.pairs.p_values) == 1


def test_weights_that_were_never_trained_have_no_rank(make_entry):
    entry = make_entry("random", quality=0.9)
    model = structs.replace(entry.model, weights=ModelWeights(source=RANDOM))
    lines = by_name(table_of("toys", [structs.replace(entry, model=model), make_entry("a")], []))
    assert lines["random"].ranks == ()
    assert lines["a"].ranks == (1, 1)


def test_a_claim_is_held_against_what_was_measured(make_entry):
    entry = make_entry("a", claimed=40.0)
    [line] = table_of("toys", [entry], []).lines
    assert line.claim.value == 40
    assert line.gap == pytest.approx(100 * entry.report.ap - 40)


def test_a_row_that_was_timed_elsewhere_says_so(make_entry):
    entries = [make_entry(name) for name in "abc"]
    other = structs.replace(entries[2].timing, hardware="another processor")
    entries[2] = structs.replace(entries[2], timing=other)
    table = table_of("toys", entries, [])
    lines = by_name(table)
    assert "a processor" in table.hardware
    assert lines["a"].elsewhere is None
    assert "another processor" in lines["c"].elsewhere


def test_findings_stand_with_their_row_and_licences_are_judged(make_entry):
    entries = [
        make_entry("a", license="Apache-2.O"),
        make_entry("b", license="MIT", seed=1),
        make_entry("c", license="AGPL-3.0-only", seed=2),
    ]
    lines = by_name(table_of("toys", entries, check(entries)))
    assert lines["a"].findings
    assert not lines["b"].findings
    assert [lines[name].permissive for name in "abc"] == [False, True, False]


def test_a_failure_is_a_sentence():
    assert str(Failure("a", "toys", "It is broken.")) == "a on toys: It is broken."
    assert str(Failure("a", None, "It is broken.")) == "a: It is broken."
