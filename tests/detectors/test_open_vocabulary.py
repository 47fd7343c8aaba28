"""Detectors whose classes are a prompt: any labels, the same weights, nothing to train."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import zoo
from tests.detectors.open_toy import OpenToy
from zoo import registry
from zoo.data import Dataset
from zoo.errors import LabelError, UsageError
from zoo.evaluate import Predictions, predict
from zoo.labels import LabelSpace
from zoo.testing import Model, run

HOOK = """
from zoo import hookimpl

@hookimpl
def register_architectures(register):
    register("open", build)
"""
PLUGIN = Path(__file__).with_name("open_toy.py").read_text() + HOOK
CARD = """
  {name}:
    architecture: acme/open
    labels: {labels}
    licenses: {{code: Apache-2.0}}
    weights:
      v1: {{files: {{model: [{{kind: file, path: toy.safetensors}}]}}}}
"""
CARDS = (
    "schema: 2\ncards:"
    + CARD.format(name="open_toy", labels="open")
    + CARD.format(name="prompted_toy", labels="[person, dog]")
)
SPOKEN = ["person", "dog", "unicorn"]


@pytest.fixture(autouse=True)
def weights(
    give_plugin: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The file of both cards' weights."""
    give_plugin("acme", PLUGIN)
    torch.manual_seed(0)
    file = tmp_path / "toy.safetensors"
    save_file(OpenToy(LabelSpace.custom(["one"])).state_dict(), file)
    (tmp_path / "cards.yaml").write_text(CARDS)
    monkeypatch.setenv("ZOO_REGISTRY", str(tmp_path / "cards.yaml"))
    registry.reload()
    yield file
    monkeypatch.undo()
    registry.reload()


@pytest.mark.parametrize("name", ["open_toy", "prompted_toy"])
def test_any_labels_get_all_weights_without_a_head_or_a_warning(
    name: str, weights: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="zoo"):
        detector = zoo.load(name, labels=SPOKEN)
    assert detector.label_space.names == tuple(SPOKEN)
    assert detector.name == f"{name}.v1[person,dog,unicorn]"
    assert detector.head_transfer is None
    assert caplog.messages == []
    published, state = load_file(weights), detector.state_dict()
    assert published.keys() == state.keys()
    assert all(torch.equal(published[key], tensor) for key, tensor in state.items())


def test_a_prompt_finds_the_same_whatever_else_is_asked_for() -> None:
    image = torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8)
    scores = {}
    for labels in (["dog"], ["person", "dog"]):
        found = zoo.load("open_toy", labels=labels).detect(image, score=0.0, iou=1.0, max_boxes=32)
        assert set(found.class_names) <= set(labels)
        scores[len(labels)] = found.scores[0]
    assert scores[2] >= scores[1]


def test_a_declared_space_by_name_is_a_prompt_as_well() -> None:
    assert len(zoo.load("open_toy", labels="coco80").label_space) == 80


@pytest.mark.parametrize("weights_are", [True, False])
def test_an_open_card_without_labels_says_what_to_type(weights_are: bool) -> None:
    with pytest.raises(LabelError, match="were named") as caught:
        zoo.load("open_toy", weights=weights_are)
    assert "labels=[" in caught.value.fix
    assert "--labels" in str(caught.value.fix_cli)


def test_a_card_with_labels_needs_none() -> None:
    assert zoo.load("prompted_toy").label_space.names == ("person", "dog")


def test_it_is_evaluated_on_the_classes_that_it_was_told(street: Dataset) -> None:
    report = zoo.evaluate(zoo.load("open_toy", labels=SPOKEN), data=street)
    assert 0 <= report.ap <= 1


def boxes_of(predictions: Predictions) -> tuple[tuple[str, ...], list[list[float]]]:
    return predictions.names, predictions.boxes.tolist()


def test_by_name_it_is_told_the_labels_that_are_asked_for(street: Dataset) -> None:
    by_name = predict("open_toy", data=street, labels=SPOKEN)
    at_hand = predict(zoo.load("open_toy", labels=SPOKEN), data=street)
    assert boxes_of(by_name) == boxes_of(at_hand)
    assert by_name.provenance["model"] == "open_toy.v1[person,dog,unicorn]"
    assert at_hand.provenance["model"] == by_name.provenance["model"]
    report = zoo.evaluate("open_toy", data=street, labels=SPOKEN)
    assert report.numbers == zoo.evaluate(by_name, data=street).numbers


def test_by_name_it_is_told_the_classes_of_the_data_unless_others_are_named(
    street: Dataset,
) -> None:
    assert predict("open_toy", data=street).names == street.label_space.names
    assert predict("open_toy", data=street, labels=["dog", "person"]).names == ("dog", "person")


def test_runs_for_other_labels_are_kept_apart(street: Dataset) -> None:
    labels = [SPOKEN, SPOKEN[::-1], ["dog"]]
    runs = [predict("open_toy", data=street, labels=names) for names in labels]
    assert len({run.path for run in runs}) == len(labels)
    assert len({run.provenance["labels_sha256"] for run in runs}) == len(labels)
    for same in (SPOKEN, None):  # the data set's classes are these
        assert predict("open_toy", data=street, labels=same).path == runs[0].path


def test_the_cards_own_labels_are_the_run_without_any(street: Dataset) -> None:
    plain = predict("prompted_toy", data=street)
    assert "labels_sha256" not in plain.provenance
    assert predict("prompted_toy", data=street, labels=["person", "dog"]).path == plain.path


def test_a_detector_at_hand_has_its_labels_already(street: Dataset) -> None:
    with pytest.raises(UsageError, match=r"can't be run with labels=\['dog'\]"):
        zoo.evaluate(zoo.load("open_toy", labels=SPOKEN), data=street, labels=["dog"])
    predictions = predict("open_toy", data=street)
    with pytest.raises(UsageError, match=r"measured with labels=\['dog'\]"):
        zoo.evaluate(predictions, data=street, labels=["dog"])


@pytest.mark.parametrize("name", ["open_toy", "prompted_toy"])
def test_it_keeps_what_the_kit_asks(name: str) -> None:
    only = [
        "labels_obeyed", "classes_carried_over", "class_rows_are_its_own", "space_is_the_cards",
        "weights_serve_any_prompt", "meta_device", "card_has_labels",
    ]  # fmt: skip
    outcomes = {one.check: one.status for one in run(Model.named(name), only=only)}
    assert outcomes.pop("class_rows_are_its_own") == "skipped"
    assert set(outcomes.values()) == {"passed"}
