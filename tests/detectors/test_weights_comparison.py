"""Whether a detector in memory is still what its verified file holds."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import zoo
from zoo.detectors.weights_comparison import is_as_loaded


@pytest.fixture(params=["safetensors", "pth"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """One that is read, and one that is converted and mapped."""
    state = zoo.load("yolox_nano", weights=False).state_dict()
    path = tmp_path / f"nano.{request.param}"
    if request.param == "pth":
        torch.save(state, path)
    else:
        save_file(state, path)
    return path


def test_a_detector_is_as_loaded_until_a_number_changes(file: Path) -> None:
    model = zoo.load("yolox_nano", weights=file)
    assert is_as_loaded(model)
    with torch.no_grad():
        next(model.parameters()).flatten()[0] += 1
    assert not is_as_loaded(model)
    assert is_as_loaded(zoo.load("yolox_nano", weights=file))


def test_a_detector_whose_file_is_gone_or_was_never_there_is_not(file: Path) -> None:
    model = zoo.load("yolox_nano", weights=file)
    assert model.weights is not None
    model.weights.path.unlink()
    assert not is_as_loaded(model)
    assert not is_as_loaded(zoo.load("yolox_nano", weights=False))


def test_a_head_for_other_classes_or_another_type_of_number_is_not(file: Path) -> None:
    assert not is_as_loaded(zoo.load("yolox_nano", weights=file, labels=["person", "forklift"]))
    model = zoo.load("yolox_nano", weights=file)
    assert is_as_loaded(model.double())
    assert not is_as_loaded(model.half())
