"""The model page says what is known, and that the rest is not."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from zoo.publish.page import model_page
from zoo.publish.result_folder import ResultFolder
from zoo.registry.card import Licenses


def parts(text: str) -> tuple[dict[str, object], str]:
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


def test_the_hub_reads_task_library_licence_and_numbers(result: Path) -> None:
    read = ResultFolder.read(result)
    head, _ = parts(model_page(read, "org/helmets", Licenses(weights="AGPL-3.0-only")))
    assert head["pipeline_tag"] == "object-detection"
    assert head["library_name"] == "detzoo"
    assert head["license"] == "agpl-3.0"
    [index] = head["model-index"]  # type: ignore[misc]
    assert index["name"] == "helmets"
    assert {one["type"] for one in index["results"][0]["metrics"]} >= {"AP", "AP50"}


def test_a_licence_that_the_hub_has_no_word_for_is_named(result: Path) -> None:
    read = ResultFolder.read(result)
    head, body = parts(model_page(read, "org/helmets", Licenses(weights="LicenseRef-Acme")))
    assert (head["license"], head["license_name"]) == ("other", "licenseref-acme")
    assert "of the weights: LicenseRef-Acme" in body


def test_an_unknown_licence_is_said_to_be_so(result: Path) -> None:
    head, body = parts(model_page(ResultFolder.read(result), "org/helmets", Licenses()))
    assert "license" not in head
    assert "of the weights: not stated" in body
    assert "ask before you use" in body


def test_the_page_states_data_numbers_with_intervals_and_how_to_load_it(result: Path) -> None:
    read = ResultFolder.read(result)
    _, body = parts(model_page(read, "org/helmets", Licenses()))
    assert 'zoo.load("hub:org/helmets")' in body
    assert "Trained on site: 2 images." in body
    assert "Measured on site: 2 images, 2 boxes." in body
    assert ": 1 image, a share of 0.5 of site/train, split off before training." in body
    assert "which flatters the numbers" in body
    assert "| AP50 | 0.0 | 0.0 to 0.0 |" in body
    assert "`helmet`, `vest`" in body
    assert "the weights of `yolox_nano`, coco, whose licence is Apache-2.0." in body
    assert str(result.parent) not in body


def test_without_a_measurement_none_is_claimed(result: Path) -> None:
    read = ResultFolder.read(result)
    bare = ResultFolder(read.path, read.choice, None, {}, {})
    head, body = parts(model_page(bare, "org/helmets", Licenses()))
    assert "model-index" not in head
    assert "Nothing was measured" in body


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (None, "It began with the weights of a model of a folder that is not published here."),
        ("random", "It is a model of a folder that is not published here, trained from random"),
        ("file:/home/me/w.pt", "trained from weights of a file that is not published here."),
    ],
)
def test_a_model_of_a_folder_is_said_to_be_one_without_its_path(
    result: Path, weights: str | None, says: str
) -> None:
    read = ResultFolder.read(result)
    recipe = {"model": "file:/home/me/old", "weights": weights}
    body = model_page(replace(read, recipe=recipe), "org/helmets", Licenses())
    assert says in body
    assert "/home/me" not in body


@pytest.mark.parametrize(
    ("backbone", "says"),
    [
        ("yolox_nano", "the weights of that of `yolox_nano`, whose licence is Apache-2.0."),
        ("file:/home/me/old", "the weights of a model that is not published here."),
    ],
)
def test_the_model_that_lent_its_backbone_is_named_with_its_licence(
    result: Path, backbone: str, says: str
) -> None:
    read = ResultFolder.read(result)
    recipe = {"model": "yolox_nano", "weights": "random", "backbone": backbone}
    body = model_page(replace(read, recipe=recipe), "org/helmets", Licenses())
    assert f"Its backbone began with {says}" in body
