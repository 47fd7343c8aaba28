"""What one entry says that can't be is caught, and what others say of it is not held against it
where they were changed."""

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
        (
            {"gflops": 500.0, "median_ms": 10.0},
            "median_ms",
        ),  # 50 TFLOP/s on two threads of a processor
        ({"p95_ms": 8000.0}, "p95_ms"),
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


@pytest.mark.parametrize(
    ("when", "said"), [("yesterday", "is not a time"), ("2999-01-01", "is in the future")]
)
def test_a_measurement_at_no_time_or_in_the_future_is_caught(when, said, make_entry):
    entry = make_entry()
    report = replace(entry.report, provenance={**entry.report.provenance, "finished": when})
    [finding] = check([structs.replace(entry, report=report)])
    assert (finding.check, finding.field) == ("odd_facts", "report.provenance.finished")
    assert said in finding.case


def test_a_claim_of_more_than_a_hundred_percent_is_refused_with_its_field(make_entry, tmp_path):
    entry = make_entry()
    claims = [Claim(dataset="toys", metric="AP", value=9900.0, source="a paper")]
    model = structs.replace(
        entry.model, published=structs.replace(entry.model.published, claims=claims)
    )
    structs.replace(entry, model=model).write(tmp_path / "a.json")
    with pytest.raises(
        DataError, match=r"claims\[0\]\.value' is 9900, and AP a share of one hundred"
    ):
        Entry.read(tmp_path / "a.json")


def test_copies_are_told_once_each_and_not_in_pairs(make_entry):
    copies = [make_entry(name, sha256="a" * 64) for name in "abcde"]
    assert sorted(one.entry for one in check(copies) if one.check == "same_numbers") == [
        "b",
        "c",
        "d",
        "e",
    ]
    assert sorted(one.entry for one in check(copies) if one.check == "same_weights") == [
        "b",
        "c",
        "d",
        "e",
    ]


def test_an_entry_that_was_changed_accuses_nobody(make_entry, tmp_path):
    forged = structs.replace(
        make_entry("forged").write(tmp_path / "forged.json"), model=make_entry("other").model
    )
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


def test_numbers_of_another_row_with_one_moved_are_a_copy(make_entry):
    entry = make_entry("copy")
    numbers = {
        name: value + 1e-9 if name == "AP" else value
        for name, value in entry.report.numbers.items()
    }
    forged = structs.replace(entry, report=replace(entry.report, numbers=numbers))
    assert ("same_numbers", "copy", "report.numbers") in found([make_entry("honest"), forged])
    numbers = {name: value and 0.9 * value for name, value in entry.report.numbers.items()}
    forged = structs.replace(entry, report=replace(entry.report, numbers=numbers))
    assert ("same_numbers", "copy", "report.numbers") in found(
        [make_entry("honest"), forged]
    )  # its replicates are the same


def test_models_of_nearly_one_quality_are_no_copies(make_entry):
    assert found([make_entry(name, seed=seed) for seed, name in enumerate("abcde")]) == set()


@pytest.mark.parametrize(
    ("name", "family", "parameters", "measured"),
    [
        ("yolox_s", None, 8_968_255, "yolox_nano"),
        ("mine", "Faster R-CNN", 912_000, "yolox_nano"),
        ("mine", "YOLOX", 8_968_255, "yolox_nano.coco"),
        ("yolox_s[helmet]", "YOLOX", 8_968_255, "yolox_nano[helmet]"),
    ],
)
def test_a_report_of_another_model_is_caught(name, family, parameters, measured, make_entry):
    entry = make_entry(name, family=family, parameters=parameters)
    entry = structs.replace(entry, report=entry.report.with_provenance({"model": measured}))
    assert ("other_provenance", name, "report.provenance.model") in found([entry])


@pytest.mark.parametrize(
    "name", ["yolox_nano", "yolox_nano.coco", "yolox/yolox_nano", "YOLOX-Nano, tuned"]
)
def test_a_model_by_another_of_its_names_is_the_same(name, make_entry):
    entry = make_entry(name, family="YOLOX", parameters=912_159)
    assert (
        found(
            [structs.replace(entry, report=entry.report.with_provenance({"model": "yolox_nano"}))]
        )
        == set()
    )


def test_a_report_of_another_data_set_is_caught(make_entry):
    entry = make_entry()
    entry = structs.replace(entry, report=entry.report.with_provenance({"data": "coco_val2017"}))
    assert found([entry]) == {("other_provenance", "toy", "report.provenance.data")}


def test_weights_without_a_hash_are_named_unless_they_are_random(make_entry):
    entry = make_entry()
    nameless = structs.replace(entry.model.weights, sha256=None)
    assert found(
        [structs.replace(entry, model=structs.replace(entry.model, weights=nameless))]
    ) == {("missing_provenance", "toy", "model.weights.sha256")}
    facts = {"state_sha256": "a" * 64}
    in_memory = structs.replace(entry, report=entry.report.with_provenance(facts))
    assert (
        found([structs.replace(in_memory, model=structs.replace(entry.model, weights=nameless))])
        == set()
    )


@pytest.mark.parametrize("license", ["", "   "])
def test_an_empty_licence_is_no_licence(license, make_entry):
    [finding] = check([make_entry(license=license)])
    assert (finding.check, finding.fix) == ("unknown_license", "Write null where it is not known.")


def test_what_an_entry_says_is_published_is_held_against_the_card(make_entry):
    entry = make_entry("yolox_nano", family="YOLOX", parameters=2_000_000, published=2_000_000)
    assert found([entry]) == {
        ("other_published", "yolox_nano", "model.published.parameters"),
        ("parameters_off", "yolox_nano", "model.parameters"),
    }


def test_a_claim_that_the_card_does_not_make_is_caught(make_entry):
    entry = make_entry(
        "yolox_nano", family="YOLOX", parameters=912_159, data="coco_val2017", claimed=60.0
    )
    assert ("other_published", "yolox_nano", "model.published.claims[0]") in found([entry])
