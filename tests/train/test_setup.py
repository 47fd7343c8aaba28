"""The device of a run, and the meeting of the data's classes with the model's."""

import pytest
import torch

from zoo.errors import LabelError, UsageError
from zoo.labels.builtin import space_of
from zoo.train.recipe import Recipe
from zoo.train.setup import accelerator_of, check_batch, lookup_of


def test_classes_meet_by_name_in_any_order() -> None:
    lookup = lookup_of(space_of(["dog", "cat", "unicorn"]), space_of(["cat", "person", "dog"]))
    assert lookup.tolist() == [2, 0, -1]


def test_data_without_a_class_of_the_model_is_refused() -> None:
    with pytest.raises(LabelError, match="no class in common"):
        lookup_of(space_of(["unicorn"]), space_of(["cat"]))


def test_a_misspelled_class_is_refused_and_one_that_the_data_lacks_is_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    data = space_of(["WBC", "RBC"])
    with pytest.raises(LabelError, match=r"No box of the data is a WBCC(.|\n)*mean 'WBC'\?"):
        lookup_of(data, space_of(["WBCC", "RBC"]))
    assert lookup_of(data, space_of(["WBC", "WBCC"])).tolist() == [0, -1]  # both were meant
    assert "The data has no class WBCC" in caplog.text
    caplog.clear()
    assert lookup_of(space_of(["house", "cat"]), space_of("coco80")).tolist() == [-1, 15]
    assert "The data has no class" not in caplog.text


@pytest.mark.parametrize("device", ["gpu", "cuda:97", "meta"])
def test_a_device_that_can_not_be_trained_on_is_refused(device: str) -> None:
    with pytest.raises(UsageError, match=f"'{device}'"):
        accelerator_of(Recipe(), device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused_with_what_is() -> None:
    with pytest.raises(UsageError, match="'cuda'") as raised:
        accelerator_of(Recipe(), "cuda")
    assert "cpu" in raised.value.fix


def test_the_processor_is_taken_where_it_is_named() -> None:
    assert accelerator_of(Recipe(), "cpu").device == torch.device("cpu")


@pytest.mark.parametrize(
    ("processes", "accumulate", "says"),
    [
        (16, 1, "with 16 processes there are 16 shares"),
        (4, 3, "with 4 processes and accumulate: 3 there are 12 shares"),
    ],
)
def test_a_batch_with_fewer_images_than_parts_is_refused_with_the_least_that_does(
    processes: int, accumulate: int, says: str
) -> None:
    recipe = Recipe(batch_size=8, accumulate=accumulate)
    with pytest.raises(UsageError, match=says) as raised:
        check_batch(recipe, processes)
    least = processes * accumulate
    assert f"--set batch_size={least}," in raised.value.fix_cli
    check_batch(Recipe(batch_size=least, accumulate=accumulate), processes)
