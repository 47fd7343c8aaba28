"""A loss that is not a number names and keeps its batch; a lack of memory says what to lower."""

import json
import re
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from zoo.contract import Batch
from zoo.data import Dataset
from zoo.errors import TrainError
from zoo.testing.toy import Stretch
from zoo.train.failures import enough_memory, enough_values, is_a_number, no_number
from zoo.train.recipe import Recipe
from zoo.train.recipe_file import fields_of, overrides, recipe_of
from zoo.train.samples import Samples, micro_batches, spans_of


def test_a_loss_that_is_not_a_number_names_its_images_and_keeps_its_batch(
    blocks: Dataset, tmp_path: Path
) -> None:
    recipe = Recipe(batch_size=4, workers=0)
    samples = Samples(blocks, torch.arange(2), Stretch(), recipe, steps=5)
    _, found = next(micro_batches(samples, 3))
    error = no_number(3, {"iou": 1.0, "kind": float("nan")}, found, samples, tmp_path)
    places = [samples.epoch_and_row(position) for position in range(12, 16)]
    assert "Step 3" in error.failure
    assert "kind nan" in error.case
    assert "iou" not in error.case
    assert blocks.images[places[0][1]].path.name in error.case
    assert "and 1 more" in error.case
    kept = json.loads((tmp_path / "not-a-number" / "batch.json").read_text())
    assert [image["id"] for image in kept["images"]] == [row + 1 for _, row in places]
    first = kept["images"][0]
    assert first["boxes"] == samples[12][1].boxes.tolist()
    with Image.open(tmp_path / "not-a-number" / first["image"]) as image:
        assert image.size == tuple(samples[12][0].shape[:0:-1])


def test_numbers_are_finite() -> None:
    assert is_a_number({"a": 1.0})
    assert not is_a_number({"a": 1.0, "b": float("inf")})


@pytest.mark.parametrize(
    "error", [MemoryError("no"), torch.OutOfMemoryError("CUDA out of memory. Tried 2 GiB")]
)
def test_a_lack_of_memory_says_what_to_lower(error: Exception) -> None:
    recipe = Recipe(batch_size=16, accumulate=2)
    with (
        pytest.raises(TrainError) as raised,
        enough_memory(recipe, step=7, size=(640, 480), processes=2),
    ):
        raise error
    assert raised.value.failure == "Step 7 needs more memory than there is."
    assert "4 images of 640 x 480 at once" in raised.value.case
    for field in ("batch_size=8", "accumulate=4", "precision=bfloat16", "a smaller size"):
        assert field in raised.value.fix


@given(st.integers(1, 100), st.integers(1, 100), st.integers(1, 6))
def test_each_value_that_a_lack_of_memory_advises_is_a_recipe_with_fewer_images_at_once(
    batch_size: int, accumulate: int, processes: int
) -> None:
    recipe = Recipe(batch_size=batch_size, accumulate=accumulate)
    assume(processes * accumulate <= batch_size)
    with (
        pytest.raises(TrainError) as raised,
        enough_memory(recipe, step=7, size=(640, 480), processes=processes),
    ):
        raise MemoryError

    def sizes(recipe: Recipe) -> list[int]:
        ranks = (spans_of(0, recipe, rank=rank, processes=processes) for rank in range(processes))
        return [len(part.positions) for parts in ranks for part in parts]

    advised = re.findall(r"\w+=\w+", raised.value.fix)
    for field in advised:
        better = recipe_of(fields_of(recipe) | overrides([field]))
        assert min(sizes(better)) >= 1
        assert better.precision == "bfloat16" or max(sizes(better)) < max(sizes(recipe))
    assert any("batch_size" in field for field in advised) == (max(sizes(recipe)) > 1)


def test_a_batch_norm_that_gets_one_value_says_what_to_raise() -> None:
    batch = Batch(torch.zeros(1, 3, 32, 64), ())
    one = r"1 image of 32 x 64 can't be trained"
    with pytest.raises(TrainError, match=one) as raised, enough_values(batch):
        torch.nn.BatchNorm2d(2)(torch.zeros(1, 2, 1, 1))
    assert "batch_norm=fixed" in raised.value.fix
    with pytest.raises(ValueError, match="other"), enough_values(batch):
        raise ValueError("other")


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), enough_memory(Recipe(), step=0, size=(1, 1), processes=1):
        raise KeyError
