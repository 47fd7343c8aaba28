"""The data sets of a board: corrected ones, those without files, and paths beside the board."""

from __future__ import annotations

import json

from tests.leaderboard.test_build import TINY, board
from zoo.leaderboard import build


def test_annotations_that_were_corrected_are_measured_without_a_new_run(desk):
    path = board(desk, TINY)
    first = build(path, to=desk / "site", runs=desk / "runs")
    [run] = (desk / "runs").iterdir()
    before = run.stat().st_ino
    instances = json.loads((desk / "instances.json").read_text())
    instances["annotations"][0]["area"] = 900
    (desk / "instances.json").write_text(json.dumps(instances))
    made = build(path, to=desk / "site", runs=desk / "runs")
    assert (made.failures, made.left_out) == ((), ())
    assert len(made.tables[0].lines) == 1
    assert run.stat().st_ino == before
    hashes = [
        one.tables[0].lines[0].entry.report.provenance["data_sha256"] for one in (first, made)
    ]
    assert hashes[0] != hashes[1]


def test_data_without_files_is_measured_and_timed_like_any_other(desk):
    path = desk / "BOARD.yaml"
    path.write_text(
        "schema: 1\ntitle: Shapes\nresamples: 100\ntiming: 1\n"
        "data: {shapes_test: 'shapes:test,count=2,size=96'}\nmodels: [yolox_pico]\n"
    )
    made = build(path, to=desk / "site", runs=desk / "runs")
    assert (made.failures, made.left_out) == ((), ())
    [line] = made.tables[0].lines
    assert line.entry.data == "shapes_test"
    assert line.entry.timing.median_ms > 0


def test_every_path_of_a_data_set_is_relative_to_the_board(desk, monkeypatch, tmp_path_factory):
    (desk / "lists").mkdir()
    (desk / "lists/val.txt").write_text("1.png\n2.png\n")
    path = board(desk, TINY)
    text = path.read_text()
    path.write_text(
        text.replace("'coco:instances.json'", "'coco:instances.json,splits=lists,split=val'")
    )
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    made = build(path, to=desk / "site", runs=desk / "runs")
    assert made.failures == ()
    assert made.tables[0].lines[0].entry.report.measured.images == 2
    monkeypatch.setenv("HOME", str(desk))
    path.write_text(text.replace("'coco:instances.json'", "'coco:~/instances.json'"))
    assert build(path, to=desk / "site", runs=desk / "runs").failures == ()
