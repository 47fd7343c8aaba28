"""Detectors whose classes are a prompt, on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from tests.detectors.open_toy import OpenToy
from tests.detectors.test_open_vocabulary import CARDS, PLUGIN
from zoo.data import Dataset
from zoo.labels import LabelSpace

Shell = Callable[..., Any]


@pytest.fixture(autouse=True)
def _cards(
    give_plugin: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_plugin("acme", PLUGIN)
    save_file(OpenToy(LabelSpace.custom(["one"])).state_dict(), tmp_path / "toy.safetensors")
    (tmp_path / "cards.yaml").write_text(CARDS)
    monkeypatch.setenv("ZOO_REGISTRY", str(tmp_path / "cards.yaml"))


def image_of(street: Dataset) -> str:
    return str(street.images[0].path)


def test_detect_finds_the_labels_it_is_given(shell: Shell, street: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    words = ["--labels", "person,kite", "--score", "0", "--json", str(file)]
    answer = shell("detect", image_of(street), "--model", "open_toy", *words)
    assert answer.code == 0, answer.err
    assert "trained first" not in answer.err
    [image] = json.loads(file.read_text())
    assert {box["name"] for box in image["detections"]} <= {"person", "kite"}


def test_without_labels_it_says_what_to_type(shell: Shell, street: Dataset) -> None:
    answer = shell("detect", image_of(street), "--model", "open_toy")
    assert answer.code != 0
    assert "zoo detect IMAGE --model open_toy.v1 --labels helmet,vest" in answer.err


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_labels_of_a_measurement_are_the_ones_given(
    shell: Shell, street: Dataset, tmp_path: Path, command: str
) -> None:
    data = f"coco:{tmp_path / 'street' / 'instances.json'}"
    words = ["--labels", "person,kite", "--data", data]
    to = ["-"] if command == "evaluate" else []
    answer = shell(command, "open_toy", *words, "--json", *to)
    assert answer.code == 0, answer.err
    answers = json.loads(answer.out)
    facts = (answers if command == "evaluate" else answers[0])["provenance"]
    assert facts["model"] == "open_toy.v1[person,kite]"
    refused = shell(command, "open_toy", "--labels", "person,,", "--data", data)
    assert (refused.code, "Write --labels person" in refused.err) == (2, True)
