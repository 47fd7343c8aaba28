"""A Hub on this machine, quick to be given up, and the folder of a run that has ended."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from zoo.data import read
from zoo.evaluate.evaluate import evaluate
from zoo.files import write_file
from zoo.registry import catalogue
from zoo.testing import LoopbackHub
from zoo.train.card import card_of, write_card
from zoo.train.data import images_of
from zoo.train.recipe import Recipe
from zoo.train.recipe_file import write_recipe
from zoo.train.run_folder import write_weights

TOKEN = "hf_secret"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A running Hub, where one token may write what belongs to `org`."""
    monkeypatch.setenv("ZOO_TIMEOUT", "0.3")
    monkeypatch.setenv("ZOO_RETRIES", "0")
    with LoopbackHub() as running:
        running.allow(TOKEN, "org")
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's token is the right one."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)


def _images(folder: Path) -> Path:
    """Two images in the format of YOLO."""
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    random = np.random.default_rng(0)
    for number in range(2):
        pixels = random.integers(0, 256, (48, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
        (folder / "labels" / f"{number}.txt").write_text(f"{number} 0.5 0.5 0.4 0.4\n")
    (folder / "data.yaml").write_text("train: images\nnames: [helmet, vest]\n")
    return folder


@pytest.fixture(scope="session")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What training leaves, of an untrained network: card, weights, recipe, report."""
    folder = tmp_path_factory.mktemp("runs") / "helmets"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "step-1.safetensors").write_bytes(b"large")
    data = read(_images(folder.parent / "site"))
    torch.manual_seed(0)
    detector = zoo.load("yolox_nano", weights=False, labels=["helmet", "vest"])
    choice = catalogue().resolve("yolox_nano")
    recipe = Recipe(model="yolox_nano", weights="coco", data=f"yolo:{folder.parent}/site")
    write_weights(folder / "model.safetensors", detector.state_dict())
    card = card_of(detector, choice, recipe)
    assert card is not None
    write_card(folder, card, choice=choice, name="run 1", note="Trained on site: 2 images.")
    write_recipe(recipe, folder / "recipe.yaml")
    facts = images_of(replace(data, notes=("Its boxes are squares.",)), None, 0.5).facts()
    assert facts.keys() >= {"data_notes", "validation_sha256", "held_out"}
    write_file(folder / "run.json", msgspec.json.encode(facts))
    evaluate(f"file:{folder}", data=data, progress=False).write(folder / "report.json")
    return folder


@pytest.fixture
def copied(result: Path, tmp_path: Path) -> Callable[[], Path]:
    """A copy of that folder, to be changed."""
    return lambda: Path(shutil.copytree(result, tmp_path / "copy"))
