"""The folder of a run is a model like any other: it loads, detects, and is measured."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from zoo.data import Dataset, read
from zoo.errors import NameNotFound, UsageError
from zoo.labels import LabelSpace
from zoo.labels.builtin import space_of
from zoo.registry import catalogue
from zoo.testing.toy import Toy
from zoo.train.card import card_of, choice_of, model_name, warn_of_losses
from zoo.train.recipe import Recipe
from zoo.train.result import Result
from zoo.train.train import train

QUICK: dict[str, Any] = {"size": [64, 64], "steps": 2, "batch_size": 2, "augment": [], "ema": None}


def renamed(data: Dataset, folder: Path, names: list[str]) -> Dataset:
    """The data set with other names of its two classes."""
    record = data.images[0]
    assert record.path is not None
    source = record.path.parent.parent
    folder.mkdir()
    (folder / "images").symlink_to(source / "images")
    content = json.loads((source / "instances.json").read_text())
    for category, name in zip(content["categories"], names, strict=True):
        category["name"] = name
    (folder / "instances.json").write_text(json.dumps(content))
    return read(folder / "instances.json")


def test_the_folder_loads_by_path_and_by_name(trained: Result, blocks: Dataset) -> None:
    image = blocks.image(1).pixels
    for name in (trained.path, f"file:{trained.path}"):
        model = zoo.load(name)
        assert model.name == "my_run_1.trained"
        assert model.label_space.names == ("dark", "bright")
        assert tuple(model.preprocess.size) == (64, 64)
        assert model.detect(image, score=0.0).size == blocks.image(1).size


def test_its_numbers_are_those_of_the_report(trained: Result, blocks: Dataset) -> None:
    again = zoo.evaluate(f"file:{trained.path}", data=blocks, resamples=0)
    assert trained.report is not None
    assert again.numbers == trained.report.numbers
    assert again.provenance is not None
    assert again.provenance["weights_sha256"] == (trained.report.provenance or {})["weights_sha256"]
    assert again.provenance["weights_source"] == "file:model.safetensors"


def test_the_card_says_what_it_was_trained_by(trained: Result) -> None:
    choice = catalogue().resolve(f"file:{trained.path}")
    assert choice.weights is not None
    assert choice.weights.recipe == "recipe.yaml"
    assert "12 images" in (choice.weights.note or "")
    assert choice.entry.card.licenses.data is None


def test_a_damaged_file_is_not_loaded(trained: Result, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(trained.path, copy)
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(zoo.ZooError, match="sha256"):
        zoo.load(copy)


def test_a_folder_without_a_card_is_not_a_model(tmp_path: Path) -> None:
    with pytest.raises(NameNotFound, match=r"has no card\.yaml"):
        zoo.load(tmp_path)
    with pytest.raises(NameNotFound, match="There is no folder"):
        zoo.load(f"file:{tmp_path / 'none'}")
    with pytest.raises(NameNotFound, match="a place for weights"):
        zoo.load("file:model.safetensors")


def test_a_composed_detector_has_a_card_of_its_parts(blocks: Dataset, tmp_path: Path) -> None:
    torch.manual_seed(0)
    detector = zoo.compose(
        backbone="timm/test_resnet",
        head="yolox",
        neck="pafpn",
        labels=["dark", "bright"],
        input={"resize": "letterbox", "size": [64, 64]},
        head_arguments={"channels": 32},
    )
    result = train(
        detector, data=blocks, recipe={**QUICK, "size": None}, to=tmp_path / "parts", device="cpu"
    )
    again = zoo.load(result.path)
    image = blocks.image(3).pixels
    assert torch.equal(
        detector.detect(image, score=0.0).boxes, again.detect(image, score=0.0).boxes
    )


def test_a_size_that_the_card_can_not_keep_is_refused(blocks: Dataset, tmp_path: Path) -> None:
    recipe = {**QUICK, "size": [64, 96]}
    with pytest.raises(UsageError, match="size:"):
        train("yolox_nano", weights=False, data=blocks, recipe=recipe, to=tmp_path, device="cpu")


@pytest.mark.parametrize("labels", [None, ["dark", "bright"]], ids=["its own", "others"])
def test_a_loaded_detector_that_is_handed_over_leaves_a_folder_that_loads(
    blocks: Dataset, tmp_path: Path, labels: list[str] | None
) -> None:
    torch.manual_seed(0)
    kept = zoo.load("yolox_pico").label_space.names[:2]
    data = renamed(blocks, tmp_path / "data", labels or list(kept))
    detector = zoo.load("yolox_pico", labels=labels)
    result = train(detector, data=data, recipe=QUICK, to=tmp_path / "run", device="cpu")
    again = zoo.load(result.path)
    assert again.label_space.names == detector.label_space.names
    image = blocks.image(3).pixels
    assert torch.equal(
        detector.detect(image, score=0.0).boxes, again.detect(image, score=0.0).boxes
    )
    assert result.recipe.multi_scale is not None  # of its family's default


def test_a_loaded_detector_that_was_changed_has_no_card() -> None:
    detector = zoo.load("yolox_pico", weights=False)
    assert choice_of(detector) == detector.choice
    detector.more = torch.nn.Linear(1, 1)
    assert choice_of(detector) is None


def test_a_detector_that_no_card_can_build_is_warned_of_and_its_page_loads_nothing(
    blocks: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = {**QUICK, "size": None, "validation_share": 0}
    with caplog.at_level(logging.WARNING, "zoo"):
        result = train(
            Toy(space_of(["dark", "bright"])), data=blocks, recipe=recipe, to=tmp_path / "run"
        )
    assert "No card can build this Toy" in caplog.text
    assert "zoo.load" not in (result.path / "report.md").read_text()
    assert not (result.path / "card.yaml").exists()


def test_ids_that_the_card_will_not_keep_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    space = LabelSpace("pair", ("dark", "bright"), (7, 9))
    detector = zoo.load("yolox_pico", weights=False, labels=space)
    warn_of_losses(detector, detector.choice, Recipe())
    assert "not their ids, 7, 9" in caplog.text


def test_a_detector_that_no_card_can_build_has_none() -> None:
    assert card_of(Toy(space_of(["a"])), None, Recipe()) is None


def test_a_name_is_made_of_any_text() -> None:
    assert model_name("Helme 2.0 ü") == "helme_2_0"
    assert model_name("ü") == "model"
