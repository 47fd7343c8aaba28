"""What of a run's folder is published: nothing of this machine, and no more than a model takes."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from zoo.errors import CardError, DataError
from zoo.publish.result_folder import ResultFolder
from zoo.registry.card import Licenses


def test_checkpoints_and_paths_stay_here(result: Path) -> None:
    files = ResultFolder.read(result).files("helmets", Licenses(weights="MIT"))
    assert set(files) == {
        "card.yaml",
        "model.safetensors",
        "recipe.yaml",
        "report.json",
        "run.json",
    }
    texts = [data for data in files.values() if isinstance(data, bytes)]
    texts += [(result / name).read_bytes() for name in ("run.json", "report.json")]
    assert not any(str(result.parent).encode() in text for text in texts)
    recipe = yaml.safe_load(bytes(files["recipe.yaml"]))
    assert (recipe["model"], recipe["weights"], recipe["data"]) == ("yolox_nano", "coco", None)
    card = yaml.safe_load(bytes(files["card.yaml"]))["cards"]["helmets"]
    assert card["licenses"]["weights"] == "MIT"
    assert card["labels"] == ["helmet", "vest"]


def test_given_licences_come_before_those_of_the_card(result: Path) -> None:
    read = ResultFolder.read(result)
    assert read.licensed("MIT", None) == Licenses(code="Apache-2.0", weights="MIT")
    assert read.licensed(None, None) == Licenses(code="Apache-2.0")


def test_a_file_outside_of_the_folder_is_refused(copied: Callable[[], Path]) -> None:
    folder = copied()
    card = folder / "card.yaml"
    more = "artifacts: {onnx: [{kind: file, path: ../../secret.onnx}]}\n        megabytes"
    card.write_text(card.read_text().replace("megabytes", more, 1))
    with pytest.raises(CardError):
        ResultFolder.read(folder).files("helmets", Licenses())


def test_a_broken_fingerprint_is_named(copied: Callable[[], Path]) -> None:
    folder = copied()
    (folder / "run.json").write_text("{")
    with pytest.raises(DataError, match=r"run\.json"):
        ResultFolder.read(folder)
