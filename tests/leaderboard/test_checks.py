"""The checks catch the errors of public leaderboards, and find nothing where nothing is wrong."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

from zoo.evaluate import Evaluator
from zoo.leaderboard import check
from zoo.leaderboard.checks import (
    ALONE,
    TOGETHER,
    Expected,
    disqualifying,
)
from zoo.registry.card import Claim


def found(entries, **options):
    """(check, entry, field) of every finding."""
    return {(one.check, one.entry, one.field) for one in check(entries, **options)}


def test_a_clean_table_has_no_findings(make_entry):
    report = make_entry("a").report
    claimed = 100 * report.ap
    assert (
        check(
            [
                make_entry("a", claimed=claimed),
                make_entry("b", quality=0.6),
                make_entry("c", quality=0.7, seed=1),
            ]
        )
        == []
    )


# The five errors of a public leaderboard, proven from its own files.


def test_a_row_that_is_a_copy_of_another_model_is_caught(make_entry):
    """DEIM-D-FINE-N was a copy of DEIM-D-FINE-S: the same checkpoint and configuration under two
    names."""
    s = make_entry("DEIM-D-FINE-S", parameters=10_237_491, published=10_237_491, sha256="a" * 64)
    n = make_entry("DEIM-D-FINE-N", parameters=10_237_491, published=3_800_000, sha256="a" * 64)
    assert found([s, n]) >= {
        ("same_numbers", "DEIM-D-FINE-N", "report.numbers"),
        ("same_weights", "DEIM-D-FINE-N", "model.weights.sha256"),
        ("parameters_off", "DEIM-D-FINE-N", "model.parameters"),
    }


def test_two_models_whose_results_are_swapped_are_caught(make_entry):
    """rtdetrv2_r50vd was listed as RT-DETRv2-M, and rtdetrv2_r50vd_m as RT-DETRv2-L."""
    m = make_entry("RT-DETRv2-M", ap=0.5341, claimed=51.9)
    large = make_entry("RT-DETRv2-L", ap=0.5190, claimed=53.4)
    assert found([m, large]) >= {
        ("swapped", "RT-DETRv2-L", "model.name"),
        ("far_from_claim", "RT-DETRv2-M", "report.numbers.AP"),
        ("far_from_claim", "RT-DETRv2-L", "report.numbers.AP"),
    }


def test_a_misspelt_licence_is_caught(make_entry):
    """APGL-3.0 stood on every row of one family."""
    [finding] = check(
        [make_entry("yolo11n", license="APGL-3.0")]
    )  # once, though two fields hold it
    assert (finding.check, finding.field) == (
        "unknown_license",
        "model.licenses.code, model.licenses.weights",
    )
    assert "Did you mean 'AGPL-3.0" in finding.fix


def test_unequal_settings_in_one_table_are_caught(make_entry):
    """Score thresholds of 0.001 and 0, 100 and 300 boxes, and inputs of 640 and 560 pixels stood in
    one table."""
    usual = {"score": 0.001, "max_boxes": 100, "size": 640}
    entries = [
        make_entry(name, quality=quality, protocol=usual)
        for name, quality in (("a", 0.5), ("b", 0.6), ("c", 0.7))
    ]
    odd = make_entry("rf-detr", protocol={"score": 0, "max_boxes": 300, "size": 560})
    assert found([odd, *entries]) == {
        ("mixed_protocols", "rf-detr", f"protocol.{name}") for name in usual
    }


def test_parameters_counted_in_the_training_graph_are_caught(make_entry):
    """49,972,332 were listed for RT-DETR-R50, of which 42 million are published."""
    [finding] = check([make_entry("RT-DETR-R50", parameters=49_972_332, published=42_000_000)])
    assert finding.check == "parameters_off"
    assert "+19%" in finding.case


# And the rest.


def test_a_count_is_held_against_the_card_where_nothing_else_is_published(make_entry):
    assert found([make_entry("yolox_nano", parameters=2_000_000)]) == {
        ("parameters_off", "yolox_nano", "model.parameters")
    }


def test_other_annotations_under_one_name_are_caught(make_entry):
    one = make_entry("other")
    one = structs.replace(
        one, report=replace(one.report, measured=replace(one.report.measured, sha256="f" * 64))
    )
    entries = [make_entry("a", quality=0.6), make_entry("b", quality=0.7), one]
    assert ("other_data", "other", "report.measured.sha256") in found(entries)
    assert found([one], expected=Expected(data={"toys": entries[0].report.measured.sha256})) >= {
        ("other_data", "other", "report.measured.sha256")
    }


def test_a_data_set_that_the_board_has_not_is_named(make_entry):
    [finding] = [
        one
        for one in check([make_entry(data="mine")], expected=Expected(data={"toys": "0"}))
        if one.field == "data"
    ]
    assert "The board has no data set 'mine'" in finding.case


def test_what_was_measured_otherwise_must_not_be_ranked(make_entry):
    entries = [make_entry("a", quality=0.6), make_entry("b", protocol={"score": 0.3})]
    expected = Expected(protocol=entries[0].protocol)
    assert {one.entry for one in check(entries, expected=expected) if disqualifying(one)} == {"b"}


def test_missing_provenance_says_what_is_missing(make_entry):
    entry = make_entry()
    facts = {"model": "toy", "processor": "unknown"}
    [finding] = check([structs.replace(entry, report=replace(entry.report, provenance=facts))])
    assert finding.check == "missing_provenance"
    assert "data_sha256" in finding.case
    assert "processor" in finding.case
    assert "model" not in finding.case


def test_what_evaluation_remarked_on_is_a_finding_and_keeps_the_row_in_the_table(make_entry):
    entry = make_entry()
    measured = replace(entry.report.measured, notes=("Were corners written?",))
    [finding] = check([structs.replace(entry, report=replace(entry.report, measured=measured))])
    assert (finding.check, finding.case) == ("remarked", "Were corners written?")
    assert not disqualifying(finding)


def test_a_note_on_the_data_set_itself_is_no_finding_about_a_row(make_entry):
    entry = make_entry()
    notes = ("Boxes are of whole shapes.", "Were corners written?")
    measured = replace(entry.report.measured, notes=notes)
    entry = structs.replace(entry, report=replace(entry.report, measured=measured))
    expected = Expected(data_notes={entry.data: notes[:1]})
    assert [one.case for one in check([entry], expected=expected)] == ["Were corners written?"]


def test_an_entry_that_says_nothing_of_its_protocol_is_told_once(make_entry):
    findings = check(
        [
            make_entry(),
            make_entry("b", seed=1, quality=0.7),
            make_entry("c", seed=2, quality=0.6, protocol={}),
        ]
    )
    [finding] = [one for one in findings if one.check == "mixed_protocols"]
    assert (finding.entry, finding.field) == ("c", "protocol")
    assert "Say in the board's row" in finding.fix


def test_numbers_that_no_evaluator_gives_are_caught(make_entry):
    assert found([make_entry(ap=0.9999)]) == {
        ("impossible", "toy", "report.numbers.AP"),
        ("impossible", "toy", "report.curves.AP"),
        ("impossible", "toy", "report.intervals.AP"),
    }


def test_two_rows_of_one_name_are_caught(make_entry):
    assert found([make_entry("a"), make_entry("a", quality=0.6)]) == {("twice", "a", "model.name")}


def test_a_report_without_resamplings_is_named(make_entry):
    entry = make_entry()
    assert found(
        [structs.replace(entry, report=replace(entry.report, resamplings=None, intervals={}))]
    ) == {("unranked", "toy", "report.resamplings")}


def test_timings_of_another_machine_are_caught(make_entry):
    entries = [
        make_entry(name, quality=quality) for name, quality in (("a", 0.5), ("b", 0.6), ("c", 0.7))
    ]
    entries[2] = structs.replace(
        entries[2], timing=structs.replace(entries[2].timing, hardware="a faster one")
    )
    assert found(entries) == {("mixed_hardware", "c", "timing.hardware")}


def test_an_accelerator_has_no_threads_and_is_another_machine_than_a_processor_of_that_name(
    make_entry,
):
    entries = [
        make_entry(name, quality=quality) for name, quality in (("a", 0.5), ("b", 0.6), ("c", 0.7))
    ]
    entries[0] = structs.replace(
        entries[0], timing=structs.replace(entries[0].timing, threads=None)
    )
    [finding] = check(entries)
    assert (finding.check, finding.entry) == ("mixed_hardware", "a")
    assert finding.case == "It was timed on a processor, the others on a processor, 2 threads."
    on_accelerators = [
        structs.replace(one, timing=structs.replace(one.timing, threads=None)) for one in entries
    ]
    assert check(on_accelerators) == []


def test_resamplings_of_another_seed_have_no_rank_and_that_is_said(make_entry):
    entries = [
        make_entry(name, quality=quality) for name, quality in (("a", 0.5), ("b", 0.6), ("c", 0.7))
    ]
    report = entries[0].report
    entries[0] = structs.replace(
        entries[0], report=replace(report, resamplings=replace(report.resamplings, seed=5))
    )
    assert found(entries) == {("unranked", "a", "report.resamplings")}


def test_another_policy_of_the_evaluator_is_caught(make_entry):
    entries = [
        make_entry(name, quality=quality) for name, quality in (("a", 0.5), ("b", 0.6), ("c", 0.7))
    ]
    report = entries[0].report
    entries[0] = structs.replace(
        entries[0], report=replace(report, policy=replace(report.policy, annotation_zero="miss"))
    )
    assert found(entries) == {("other_measure", "a", "report.policy")}


def test_one_file_at_two_input_sizes_is_no_copy(make_entry):
    small, large = (
        structs.replace(entry, model=structs.replace(entry.model, input=[side, side]))
        for entry, side in (
            (make_entry("s", quality=0.6, sha256="a" * 64), 320),
            (make_entry("l", sha256="a" * 64), 640),
        )
    )
    assert check([small, large]) == []


def test_models_that_find_nothing_are_no_copies_of_each_other(make_entry, truth):
    evaluator = Evaluator(truth)
    nothing = {"boxes": np.zeros((0, 4)), "scores": np.zeros(0), "labels": np.zeros(0, int)}
    evaluator.update(range(len(truth)), [nothing] * len(truth))
    blind = evaluator.compute(resamples=20)
    assert blind.ap == 0
    entries = [make_entry(name) for name in ("a", "b")]
    assert (
        check(
            [
                structs.replace(one, report=blind.with_provenance(one.report.provenance))
                for one in entries
            ]
        )
        == []
    )


def test_a_claim_on_another_data_set_is_not_held_against_the_measured(make_entry):
    entry = make_entry()
    claims = [Claim(dataset="coco_val2017", metric="AP", value=1.0, source="a paper")]
    model = structs.replace(
        entry.model, published=structs.replace(entry.model.published, claims=claims)
    )
    assert check([structs.replace(entry, model=model)]) == []


@pytest.mark.parametrize("one", [*ALONE, *TOGETHER], ids=lambda one: one.__name__)
def test_every_check_says_in_a_sentence_what_it_is_for(one):
    assert one.__doc__.rstrip().endswith(".")
    assert list(one([])) == []


def test_one_model_by_two_engines_is_no_copy_and_may_stand_in_one_table(make_entry):
    by_torch = make_entry("toy", sha256="a" * 64)
    protocol = {**by_torch.protocol, "engine": "onnxruntime"}
    other = make_entry("toy (onnxruntime)", sha256="a" * 64, protocol=protocol)
    other = structs.replace(other, model=structs.replace(by_torch.model, name=other.name))
    found = {finding.check for finding in check([by_torch, other])}
    assert not found & {"same_numbers", "same_weights", "mixed_protocols"}
    exported = make_entry("toy.onnx", sha256="b" * 64, protocol=protocol)
    facts = {**(exported.report.provenance or {}), "exported_from": "a" * 64}
    report = replace(exported.report, provenance=facts)
    found = {each.check for each in check([by_torch, structs.replace(exported, report=report)])}
    assert "same_numbers" not in found
    again = structs.replace(by_torch, model=structs.replace(by_torch.model, name="copy"))
    assert {"same_numbers", "same_weights"} <= {each.check for each in check([by_torch, again])}
