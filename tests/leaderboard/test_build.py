"""A board becomes a page: what is missing is run, what is there is kept, and what fails is said and
left out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from time import monotonic, sleep

import pytest
from msgspec import structs

from zoo.errors import DataError
from zoo.evaluate.predictions import code
from zoo.folder_lock import hold_folder
from zoo.leaderboard import Entry, build

SETTINGS = (
    "{score: 0.01, iou: 0.65, max_boxes: 100, nms: class, resize: card, precision: float32, exif: "
    "apply}"
)
STORED = f"""
  - name: stored
    model: yolox_nano
    predictions: results.json
    protocol: {SETTINGS}
    provenance:
      {{processor: another, finished: '2026-01-01', detzoo: none, weights_source: a file,
        weights_sha256: {"a" * 64}}}
"""
START = (
    "schema: 1\ntitle: Mine\nresamples: 100\ntiming: false\nregistry: [cards.yaml]\ndata: {toys: "
    "'coco:instances.json'}\nmodels:"
)
TINY = "\n  - {model: tiny, weights: random}"


def board(desk: Path, text: str) -> Path:
    (desk / "BOARD.yaml").write_text(START + text)
    return desk / "BOARD.yaml"


def test_a_board_becomes_a_page_markdown_json_and_entries(desk):
    made = build(board(desk, STORED + TINY), to=desk / "site", runs=desk / "runs")
    [table] = made.tables
    assert [line.entry.name for line in table.lines] == ["stored", "tiny"]
    assert made.failures == ()
    assert table.lines[0].entry.model.family == "YOLOX"
    assert table.lines[1].entry.model.weights.source == "random"
    assert table.lines[1].entry.model.parameters > 100_000
    names = {
        path.relative_to(desk / "site").as_posix()
        for path in (desk / "site").rglob("*")
        if path.is_file()
    }
    assert names == {
        ".lock",
        "index.html",
        "leaderboard.json",
        "leaderboard.md",
        "entries/stored-at-toys.json",
        "entries/tiny-at-toys.json",
    }
    assert json.loads((desk / "site/leaderboard.json").read_text())["title"] == "Mine"


def test_a_run_next_to_the_board_is_a_row_wherever_it_is_built(desk, monkeypatch, tmp_path_factory):
    (desk / "trained").mkdir()
    (desk / "cards.yaml").rename(desk / "trained/card.yaml")
    path = board(desk, "\n  - {model: 'file:trained', weights: random, name: mine}")
    path.write_text(path.read_text().replace("registry: [cards.yaml]\n", ""))
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    made = build(path, to=desk / "site", runs=desk / "runs")
    assert made.failures == ()
    assert [line.entry.name for line in made.tables[0].lines] == ["mine"]


def test_an_entry_of_a_build_can_be_read_and_says_what_it_is_of(desk):
    build(board(desk, TINY), to=desk / "site", runs=desk / "runs")
    entry = Entry.read(desk / "site/entries/tiny-at-toys.json")
    facts = entry.report.provenance
    assert facts["weights_source"] == "random"
    assert facts["plugin"].startswith("yolox (detzoo ")
    assert len(facts["card_sha256"]) == 64
    assert facts["data"] == "toys"
    assert facts["protocol"] == "uniform"
    assert entry.protocol["score"] == 0.01
    assert entry.timing is None


def test_a_board_may_take_images_as_they_are_stored(desk):
    path = board(desk, TINY)
    path.write_text(path.read_text().replace("timing: false", "timing: 1\nexif: ignore"))
    made = build(path, to=desk / "site", runs=desk / "runs")
    assert (made.failures, made.left_out) == ((), ())
    [line] = made.tables[0].lines
    assert line.entry.protocol["exif"] == made.settings["exif"] == "ignore"


def test_a_fresh_build_makes_everything_again(desk):
    path = board(desk, TINY)
    build(path, to=desk / "site", runs=desk / "runs")
    [entry], [run] = (desk / "site/entries").iterdir(), (desk / "runs").iterdir()
    before = entry.stat().st_ino, run.stat().st_ino
    build(path, to=desk / "site", runs=desk / "runs")
    assert (entry.stat().st_ino, run.stat().st_ino) == before
    build(path, to=desk / "site", runs=desk / "runs", fresh=True)
    assert entry.stat().st_ino != before[0]
    assert run.stat().st_ino != before[1]


def test_an_entry_is_of_one_state_of_the_code(desk, monkeypatch):
    path = board(desk, STORED)
    build(path, to=desk / "site", runs=desk / "runs")
    [entry] = (desk / "site/entries").iterdir()
    before = entry.stat().st_ino
    monkeypatch.setattr(code, "of_detzoo", lambda: "other code")
    build(path, to=desk / "site", runs=desk / "runs")
    assert entry.stat().st_ino != before


def test_a_second_build_runs_and_measures_nothing(desk, monkeypatch):
    path = board(desk, STORED + TINY)
    first = build(path, to=desk / "site", runs=desk / "runs")
    before = {
        one: one.stat().st_mtime_ns
        for one in [*(desk / "site/entries").iterdir(), *(desk / "runs").iterdir()]
    }

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(import_module("zoo.leaderboard.build"), "evaluate", refuse)
    second = build(path, to=desk / "site", runs=desk / "runs")
    assert second.tables == first.tables
    assert {one: one.stat().st_mtime_ns for one in before} == before


def test_what_has_changed_is_measured_again(desk):
    path = board(desk, STORED)
    first = build(path, to=desk / "site", runs=desk / "runs")
    results = json.loads((desk / "results.json").read_text())
    (desk / "results.json").write_text(json.dumps(results[:3]))
    second = build(path, to=desk / "site", runs=desk / "runs")
    assert second.tables[0].lines[0].entry.report.ap < first.tables[0].lines[0].entry.report.ap


def test_a_model_that_fails_is_said_and_the_rest_goes_on(desk):
    made = build(board(desk, "\n  - no_such_model" + STORED), to=desk / "site", runs=desk / "runs")
    [failure] = made.failures
    assert (failure.name, failure.data) == ("no_such_model", None)  # it is none on every data set
    assert "No model named 'no_such_model'" in failure.why
    assert [line.entry.name for line in made.tables[0].lines] == ["stored"]


def test_a_misspelt_model_is_said_before_anything_is_run(desk):
    said: list[str] = []
    build(
        board(desk, STORED + "\n  - yolox_nan"),
        to=desk / "site",
        runs=desk / "runs",
        say=said.append,
    )
    assert said[0].startswith("Not measured: yolox_nan: ")
    assert "Did you mean 'yolox_nano'" in said[0]
    assert said[1] == "stored on toys"


def halved(desk, rows):
    """A board of two data sets, all images and the first three; detections of those are in
    half_results.json."""
    for name, columns in (("instances.json", ("images", "annotations")), ("results.json", None)):
        whole = json.loads((desk / name).read_text())
        part = {**whole, **{key: whole[key][:3] for key in columns}} if columns else whole[:3]
        (desk / name.replace("instances", "half").replace("results", "half_results")).write_text(
            json.dumps(part)
        )
    path = board(desk, rows)
    path.write_text(
        path.read_text().replace(
            "'coco:instances.json'", "'coco:instances.json', half: 'coco:half.json'"
        )
    )
    return path


def test_a_row_may_be_in_the_tables_of_some_data_sets_only(desk):
    rows = STORED.replace("results.json", "{toys: results.json, half: half_results.json}")
    rows += "\n  - {model: tiny, weights: random, data: [half]}"
    made = build(halved(desk, rows), to=desk / "site", runs=desk / "runs")
    assert made.failures == ()
    assert {one.data: {line.entry.name for line in one.lines} for one in made.tables} == {
        "toys": {"stored"},
        "half": {"stored", "tiny"},
    }


def test_an_entry_says_how_many_images_were_timed(desk):
    text = board(desk, TINY).read_text().replace("timing: false", "timing: 2")
    (desk / "BOARD.yaml").write_text(text)
    made = build(desk / "BOARD.yaml", to=desk / "site", runs=desk / "runs")
    assert made.tables[0].lines[0].entry.timing.runs == 2


def test_others_add_a_row_by_a_file(desk):
    build(board(desk, STORED), to=desk / "first", runs=desk / "runs")
    text = (desk / "first/entries/stored-at-toys.json").read_text()
    (desk / "theirs").mkdir()
    one = Entry.read(desk / "first/entries/stored-at-toys.json")
    structs.replace(one, model=structs.replace(one.model, name="theirs")).write(
        desk / "theirs/one.json"
    )
    (desk / "theirs/broken.json").write_text(text[:-100])
    (desk / "theirs/same.json").write_text(text)
    (desk / "theirs/link.json").symlink_to(desk / "first/entries/stored-at-toys.json")
    made = build(
        board(desk, STORED + "\nentries: ['theirs/*.json', none.json]"),
        to=desk / "site",
        runs=desk / "runs",
    )
    assert [line.entry.name for line in made.tables[0].lines] == ["stored", "theirs"]
    assert {one.name for one in made.failures} == {
        "broken.json",
        "link.json",
        "stored",
        "none.json",
    }
    assert any(one.check == "same_numbers" for one in made.findings)
    assert (desk / "site/entries/theirs-at-toys.json").exists()


def test_a_forged_entry_is_in_no_table_and_the_reason_is_said(desk):
    build(board(desk, STORED), to=desk / "first", runs=desk / "runs")
    one = Entry.read(desk / "first/entries/stored-at-toys.json")
    report = replace(one.report, numbers=dict.fromkeys(one.report.numbers, 0.99))
    structs.replace(one, model=structs.replace(one.model, name="best"), report=report).write(
        desk / "best.json"
    )
    made = build(
        board(desk, STORED + "\nentries: [best.json]"), to=desk / "site", runs=desk / "runs"
    )
    assert [line.entry.name for line in made.tables[0].lines] == ["stored"]
    assert made.left_out == ("best on toys",)
    assert ("impossible", "report.numbers.AP") in {
        (one.check, one.field) for one in made.findings if one.entry == "best"
    }


def test_an_entry_that_was_changed_since_it_was_built_is_measured_again(desk):
    path = board(desk, STORED)
    build(path, to=desk / "site", runs=desk / "runs")
    entry = desk / "site/entries/stored-at-toys.json"
    text = entry.read_text()
    entry.write_text(text.replace('"family":"YOLOX"', '"family":"MINE"'))
    assert entry.read_text() != text
    [table] = build(path, to=desk / "site", runs=desk / "runs").tables
    assert table.lines[0].entry.model.family == "YOLOX"
    assert table.lines[0].findings == ()


def test_a_page_is_not_written_into_a_file_and_that_is_said_before_anything_is_measured(desk):
    with pytest.raises(DataError, match="That is not a folder that can be made and written"):
        build(board(desk, STORED), to=desk / "results.json", runs=desk / "runs")
    assert not (desk / "runs").exists()


def test_a_folder_takes_one_build_at_a_time_and_the_second_says_who_holds_it(desk):
    (desk / "site").mkdir()
    with hold_folder(desk / "site"):
        message = rf"Process {os.getpid()} on (.|\n)*, builds in it"
        with pytest.raises(DataError, match=message):
            build(board(desk, STORED), to=desk / "site", runs=desk / "runs")
    assert not (desk / "runs").exists()


def test_a_model_of_somebody_else_s_distribution_is_a_row_like_any_other(acme, desk):
    made = build(
        board(desk, "\n  - {model: acme_net, weights: random}" + STORED),
        to=desk / "site",
        runs=desk / "runs",
    )
    assert made.failures == ()
    [line] = [one for one in made.tables[0].lines if one.entry.name == "acme_net"]
    assert (line.entry.model.family, line.entry.model.licenses.code) == ("Acme", "MIT")
    assert not line.permissive  # a licence of one's own
    assert [one.check for one in line.findings] == [
        "parameters_off"
    ]  # its card claims a thousand times too many


def test_two_data_sets_on_one_board_are_two_tables_with_claims_and_ranks_of_their_own(desk):
    half = json.loads((desk / "instances.json").read_text())
    half["images"], half["annotations"] = half["images"][:3], half["annotations"][:3]
    (desk / "half.json").write_text(json.dumps(half))
    path = board(desk, TINY)
    path.write_text(
        path.read_text().replace(
            "{toys: 'coco:instances.json'}", "{toys: 'coco:instances.json', half: 'coco:half.json'}"
        )
    )
    made = build(path, to=desk / "site", runs=desk / "runs")
    assert [(one.data, one.images) for one in made.tables] == [("toys", 6), ("half", 3)]
    assert made.findings == ()
    assert [one.lines[0].ranks for one in made.tables] == [(), ()]  # never trained
    assert {one.name for one in (desk / "site/entries").iterdir()} == {
        "tiny-at-toys.json",
        "tiny-at-half.json",
    }


def test_what_was_measured_by_another_protocol_is_in_no_table(desk):
    text = STORED + STORED.replace("name: stored", "name: odd").replace("score: 0.01", "score: 0.5")
    made = build(board(desk, text), to=desk / "site", runs=desk / "runs")
    assert [line.entry.name for line in made.tables[0].lines] == ["stored"]
    assert made.left_out == ("odd on toys",)
    assert ("mixed_protocols", "protocol.score") in {
        (one.check, one.field) for one in made.findings if one.entry == "odd"
    }


def test_a_data_set_that_is_wrong_is_an_error_that_names_it(desk):
    (desk / "instances.json").write_text("{}")
    with pytest.raises(DataError, match=r"instances\.json"):
        build(board(desk, STORED), to=desk / "site", runs=desk / "runs")


@pytest.mark.slow
def test_a_build_that_is_killed_goes_on_where_it_was(desk):
    path = board(desk, STORED + TINY)
    words = [
        sys.executable,
        "-m",
        "zoo",
        "leaderboard",
        "build",
        str(path),
        "--to",
        str(desk / "site"),
        "--runs",
        str(desk / "runs"),
    ]
    first = desk / "site/entries/stored-at-toys.json"
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    until = monotonic() + 60
    while not first.exists() and process.poll() is None and monotonic() < until:
        sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert first.exists()
    assert not (desk / "site/index.html").exists()
    written = first.stat().st_mtime_ns
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert first.stat().st_mtime_ns == written
    assert (desk / "site/index.html").exists()
    assert not list((desk / "site").rglob("*.tmp"))


@pytest.mark.slow
def test_stored_detections_of_a_real_model_have_their_known_numbers(shared, tmp_path):
    folder = shared / "coco_val2017_128"
    text = f"""
schema: 1
title: Real
timing: false
data: {{coco_val2017_128: 'coco:{folder / "instances.json"}'}}
models:
  - name: ONNX Runtime
    model: yolox_nano
    predictions: {folder / "yolox_nano_detections.json"}
    protocol: {SETTINGS}
"""
    (tmp_path / "BOARD.yaml").write_text(text)
    made = build(tmp_path / "BOARD.yaml", to=tmp_path / "site", runs=tmp_path / "runs")
    [line] = made.tables[0].lines
    assert line.entry.report.ap == 0.335996014212976
    assert line.claim.value == 25.8
    assert line.gap is None  # the claim is of all 5,000 images
