"""`zoo leaderboard build` and `check`: what they say, and their exit codes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from msgspec import structs

from zoo.evaluate import Evaluator, GroundTruth
from zoo.leaderboard import Entry, Model
from zoo.leaderboard.entry import PROVENANCE, ModelWeights
from zoo.registry.card import Licenses


@pytest.fixture
def entry():
    truth = GroundTruth.of(
        [1], {"image": [1], "label": [0], "box": [[0, 0, 9, 9]]}, label_space=["cat"]
    )
    evaluator = Evaluator(truth)
    evaluator.update(
        [1],
        [{"boxes": np.array([[0, 0, 9.0, 9]]), "scores": np.array([0.5]), "labels": np.array([0])}],
    )
    facts = dict.fromkeys(PROVENANCE, "known") | {
        "data_sha256": truth.sha256,
        "weights_source": "file:a",
    }
    report = evaluator.compute(resamples=10).with_provenance({**facts, "finished": "2026-01-31"})
    model = Model(
        name="mine",
        licenses=Licenses(code="MIT"),
        weights=ModelWeights(source="file:a", sha256="a" * 64),
    )
    return Entry(model=model, data="one", protocol={"score": 0.01}, report=report)


def test_check_is_content_with_a_good_entry(shell, entry, tmp_path):
    entry.write(tmp_path / "good.json")
    answer = shell("leaderboard", "check", str(tmp_path / "good.json"))
    assert answer.code == 0
    assert "1 entry, 0 findings." in answer.err


def test_check_names_entry_field_and_what_to_do_and_exits_with_1(shell, entry, tmp_path):
    licenses = Licenses(code="APGL-3.0")
    structs.replace(entry, model=structs.replace(entry.model, licenses=licenses)).write(
        tmp_path / "bad.json"
    )
    answer = shell("leaderboard", "check", str(tmp_path / "bad.json"))
    assert answer.code == 1
    assert (
        "unknown_license: mine on one, model.licenses.code: 'APGL-3.0' is not an SPDX identifier. "
        "Did you mean" in answer.out
    )


def test_check_goes_on_after_a_file_that_can_t_be_read_and_exits_with_10(shell, entry, tmp_path):
    entry.write(tmp_path / "good.json")
    (tmp_path / "broken.json").write_text("{")
    answer = shell(
        "leaderboard", "check", "--json", str(tmp_path / "broken.json"), str(tmp_path / "good.json")
    )
    assert answer.code == 10
    told = json.loads(answer.out)
    assert told["findings"] == []
    assert "broken.json" in told["unreadable"][0]["failure"]


def test_build_writes_the_page_of_entries_alone(shell, entry, tmp_path):
    entry.write(tmp_path / "theirs.json")
    instances = {
        "images": [{"id": 1, "file_name": "1.png"}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 1,
                "bbox": [0, 0, 9, 9],
                "area": 81,
                "iscrowd": 0,
            }
        ],
    }
    (tmp_path / "instances.json").write_text(json.dumps(instances))
    board = "schema: 1\ntitle: Mine\ndata: {one: 'coco:instances.json'}\nentries: [theirs.json]\n"
    (tmp_path / "BOARD.yaml").write_text(board)
    site = tmp_path / "site"
    answer = shell("leaderboard", "build", str(tmp_path / "BOARD.yaml"), "--to", str(site))
    assert answer.code == 1  # its only row is in no table
    assert "mixed_protocols" not in answer.out
    assert "mixed_protocols: mine on one, protocol: It does not say exif, iou" in answer.err
    assert answer.err.endswith("No table has a row.\n")
    assert (site / "index.html").exists()
    strict = shell(
        "leaderboard",
        "build",
        str(tmp_path / "BOARD.yaml"),
        "--to",
        str(site),
        "--strict",
        "--json",
    )
    assert strict.code == 1
    assert json.loads(strict.out)["left_out"] == ["mine on one"]


def test_build_names_the_line_of_a_wrong_board(shell, tmp_path):
    (tmp_path / "BOARD.yaml").write_text("schema: 1\ntitel: Mine\n")
    answer = shell("leaderboard", "build", str(tmp_path / "BOARD.yaml"))
    assert answer.code == 10
    assert "Line 2, field 'titel'" in answer.err
    assert "Did you mean 'title'?" in answer.err
