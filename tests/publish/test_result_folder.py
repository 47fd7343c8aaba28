"""What of a run's folder is published: nothing of this machine, and no more than a model takes."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import zoo
from zoo.errors import CardError, DataError
from zoo.publish.page import model_page
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
    assert read.licenses_with("MIT", None) == Licenses(code="Apache-2.0", weights="MIT")
    assert read.licenses_with(None, None) == Licenses(code="Apache-2.0")


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


def test_a_folder_that_training_left_is_read(tmp_path: Path) -> None:
    recipe = {"steps": 1, "batch_size": 2, "overfit_check": False}
    data = "shapes:val,count=12,size=64"
    zoo.train("yolox_pico", data=data, recipe=recipe, to=tmp_path / "run", device="cpu")
    read = ResultFolder.read(tmp_path / "run")
    assert read.facts["validation"] == "shapes_val/val"
    assert len(read.facts["held_out"]["ids"]) >= 1


@pytest.mark.parametrize("field", ["model", "backbone", "weights"])
def test_a_folder_of_this_machine_is_in_no_published_recipe(
    copied: Callable[[], Path], field: str
) -> None:
    folder = copied()
    recipe = yaml.safe_load((folder / "recipe.yaml").read_text())
    recipe[field] = "file:/home/me/secret"
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    read = ResultFolder.read(folder)
    published = yaml.safe_load(bytes(read.files("helmets", Licenses())["recipe.yaml"]))  # type: ignore[arg-type]
    assert published[field] is None
    assert "secret" not in model_page(read, "org/helmets", Licenses())
