"""Checkpoints of wrapped models are loaded as those of the model itself."""

from pathlib import Path

import pytest
import torch
from torch import nn

import zoo
from zoo.errors import CheckpointError


@pytest.fixture(scope="module")
def nano() -> zoo.Detector:
    return zoo.load("yolox_nano", weights=False)


def saved(state: dict[str, torch.Tensor], folder: Path) -> Path:
    torch.save(state, folder / "nano.pth")
    return folder / "nano.pth"


def check_same(one: zoo.Detector, other: zoo.Detector) -> None:
    theirs = other.state_dict()
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, theirs[name])


@pytest.mark.parametrize(
    "prefix", ["module.", "model.", "_orig_mod.", "module._orig_mod.", "anything.at.all."]
)
def test_one_prefix_before_every_name_is_taken_off_and_that_is_said(
    nano: zoo.Detector, prefix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = saved({prefix + name: value for name, value in nano.state_dict().items()}, tmp_path)
    check_same(nano, zoo.load("yolox_nano", weights=path))
    notes = [one for one in caplog.messages if f"begin with '{prefix}'" in one]
    assert len(notes) == 1


@pytest.mark.parametrize(
    "wrap",
    [
        nn.DataParallel,
        torch.optim.swa_utils.AveragedModel,
        lambda net: nn.ModuleDict({"net": nn.Sequential(net)}),
    ],
)
def test_what_wraps_models_is_known(
    wrap, nano: zoo.Detector, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = saved(wrap(nano).state_dict(), tmp_path)
    check_same(nano, zoo.load("yolox_nano", weights=path))
    assert ("n_averaged" in caplog.text) == (wrap is torch.optim.swa_utils.AveragedModel)


def test_the_class_rows_of_a_wrapped_model_are_carried_over(
    nano: zoo.Detector, tmp_path: Path
) -> None:
    path = saved({f"module.{name}": value for name, value in nano.state_dict().items()}, tmp_path)
    detector = zoo.load("yolox_nano", weights=path, labels=["person", "helmet"])
    kept = nano.get_parameter("head.cls_preds.0.bias")[nano.label_space.names.index("person")]
    assert detector.get_parameter("head.cls_preds.0.bias")[0] == kept


@pytest.mark.parametrize("change", ["one is missing", "two prefixes", "another model"])
def test_what_does_not_fit_without_its_prefix_either_is_refused_as_it_was_written(
    nano: zoo.Detector, change: str, tmp_path: Path
) -> None:
    state = {f"module.{name}": value for name, value in nano.state_dict().items()}
    if change == "one is missing":
        state.popitem()
    elif change == "two prefixes":
        state = {
            name.replace("module.", "other.") if "bias" in name else name: value
            for name, value in state.items()
        }
    else:
        state = {f"module.{number}": torch.zeros(1) for number in range(9)}
    with pytest.raises(CheckpointError, match=r"unexpected: (module|other)\."):
        zoo.load("yolox_nano", weights=saved(state, tmp_path))
