"""Contact sheets of what training sees."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from zoo.data import Dataset
from zoo.data.show import drawn_rows
from zoo.draw.palette import color_of
from zoo.errors import LabelError, NameNotFound, UsageError
from zoo.labels.builtin import space_of
from zoo.testing.toy import Toy
from zoo.train.data import images_of
from zoo.train.defaults import PRESETS, complete
from zoo.train.recipe import Flip, Mosaic, Recipe
from zoo.train.samples import Samples, micro_batches
from zoo.train.show import describe_augmentations, show


def test_it_shows_the_very_images_that_a_run_trains_on(
    blocks: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each image is asked for by the position at which the loader of a run asks for it."""
    asked: list[tuple[int, bytes]] = []
    original = Samples.__getitem__

    def noting(self: Samples, position: int) -> object:
        image, target = original(self, position)
        asked.append((position, image.numpy().tobytes() + target.boxes.numpy().tobytes()))
        return image, target

    monkeypatch.setattr(Samples, "__getitem__", noting)
    recipe = {
        "steps": 12,
        "batch_size": 4,
        "size": [64, 64],
        "workers": 0,
        "validation_share": 0.25,
    }
    sheets = show("yolox_nano", data=blocks, recipe=recipe, count=3)
    shown, asked[:] = dict(asked), []
    assert len(shown) == 9
    assert len(sheets.files) == 3
    lookup = torch.arange(2)
    train = images_of(blocks, None, 0.25).train
    assert len(train) < len(blocks)
    plan = complete(PRESETS["yolox"], recipe, images=len(train))
    run = Samples(train, lookup, Toy(space_of(["a"])).preprocess.at((64, 64)), plan, 12)
    for _ in micro_batches(run):
        pass
    trained = dict(asked)
    assert len(trained) == 48
    assert all(trained[position] == content for position, content in shown.items())
    epochs = {run.epoch_and_row(position) for position in shown}
    assert epochs == {(epoch, row) for epoch in range(3) for row in drawn_rows(train, 3, 0)}


def test_positions_and_places_are_each_other_s_inverse(blocks: Dataset) -> None:
    samples = Samples(blocks, torch.arange(2), Toy(space_of(["a"])).preprocess, Recipe(), steps=9)
    for position in range(30):
        assert samples.position(*samples.epoch_and_row(position)) == position


def test_a_short_run_shows_the_epochs_that_it_has(blocks: Dataset) -> None:
    recipe = {"steps": 6, "batch_size": 4, "augment": []}
    two, three = (
        show("yolox_nano", data=blocks, recipe=recipe | {"steps": steps}, count=2).images[0]
        for steps in (6, 60)
    )
    assert two.height > three.height  # three columns are wider than four


def test_classes_have_the_colours_of_the_model(blocks: Dataset) -> None:
    recipe = {"augment": [], "steps": 3}
    model = Toy(space_of(["stray", "bright"]))  # has no dark ones, which are the data's first
    [image] = show(model, data=blocks, recipe=recipe, count=12, epochs=1).images[:1]
    pixels = np.asarray(image)
    assert (pixels == color_of(1)).all(axis=2).any()
    assert not (pixels == color_of(0)).all(axis=2).any()
    with pytest.raises(LabelError):
        show(data=blocks, labels=["cat"])


def test_the_training_split_is_shown(blocks: Dataset) -> None:
    parts = replace(blocks, split_rows={"train": np.array([3]), "val": np.array([5])})
    assert show(data=parts, recipe="general").files == (blocks.files[3],)
    assert show(data=parts, recipe="general", split="val").files == (blocks.files[5],)


def test_what_cannot_be_is_refused(blocks: Dataset, tmp_path: Path) -> None:
    with pytest.raises(NameNotFound):
        show("yolox_nan", data=blocks)
    with pytest.raises(UsageError):
        show(data=blocks, recipe={"batch_size": 0})
    with pytest.raises(UsageError):
        show(data=blocks, epochs=0)
    with pytest.raises(UsageError):
        show(data=blocks, recipe=tmp_path / "none.yaml")


def test_a_recipe_is_told_in_a_line() -> None:
    recipe = Recipe(augment=(Mosaic(), Flip()), seed=3)
    assert describe_augmentations(recipe) == "Mosaic 0.5 to 1.5 (50%), flip (50%); seed 3"
    assert describe_augmentations(Recipe(augment=())) == "No augmentation; seed 0"
