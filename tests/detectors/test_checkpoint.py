"""Weights go into a network whole or not at all, without a copy, and a misfit is explained tensor
by tensor."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import zoo
from zoo.detectors.checkpoint import assign
from zoo.detectors.tensors import mapped
from zoo.errors import CheckpointError


@pytest.fixture
def nano() -> zoo.Detector:
    return zoo.load("yolox_nano", weights=False)


@pytest.fixture
def file(nano: zoo.Detector, tmp_path: Path) -> Path:
    save_file(nano.state_dict(), tmp_path / "nano.safetensors")
    return tmp_path / "nano.safetensors"


def test_a_network_gets_the_tensors_of_the_file(nano: zoo.Detector, file: Path) -> None:
    other = zoo.load("yolox_nano", weights=f"file:{file}")
    loaded = other.state_dict()
    for name, tensor in nano.state_dict().items():
        assert torch.equal(loaded[name], tensor)


def test_the_weights_are_views_of_the_mapped_file(file: Path) -> None:
    tensors = mapped(file)
    lines = [
        line
        for line in Path("/proc/self/maps").read_text().splitlines()
        if line.endswith(str(file))
    ]
    assert tensors
    assert lines


def test_training_a_loaded_network_leaves_the_file_alone(file: Path) -> None:
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    detector = zoo.load("yolox_nano", weights=f"file:{file}")
    with torch.no_grad():
        for weight in detector.parameters():
            weight.add_(1)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before


def test_a_loaded_network_can_be_trained(file: Path) -> None:
    detector = zoo.load("yolox_nano", weights=f"file:{file}")
    assert all(weight.requires_grad and weight.is_leaf for weight in detector.parameters())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda state: state.pop("head.obj_preds.0.bias"),
            "1 tensor is missing: head.obj_preds.0.bias",
        ),
        (lambda state: state.update(extra=torch.zeros(1)), "1 tensor is unexpected: extra"),
        (
            lambda state: state.update({"head.obj_preds.0.bias": torch.zeros(7)}),
            "head.obj_preds.0.bias (7,), not (1,)",
        ),
    ],
    ids=["missing", "unexpected", "mis-shaped"],
)
def test_a_misfit_names_the_tensors(nano: zoo.Detector, change, said: str) -> None:
    state = dict(nano.state_dict())
    change(state)
    with pytest.raises(CheckpointError) as caught:
        assign(nano, state, asked="A test.")
    assert said in str(caught.value).replace("\n", " ")


def test_many_misfits_are_counted_not_listed(nano: zoo.Detector) -> None:
    with pytest.raises(CheckpointError) as caught:
        assign(nano, {}, asked="A test.")
    assert " more" in str(caught.value)


def test_half_precision_weights_become_the_networks_own_type(
    nano: zoo.Detector, tmp_path: Path
) -> None:
    half = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in nano.state_dict().items()
    }
    save_file(half, tmp_path / "half.safetensors")
    detector = zoo.load("yolox_nano", weights=f"file:{tmp_path / 'half.safetensors'}")
    assert detector.dtype == torch.float32


def test_a_file_of_ones_own_with_numbers_that_are_none_is_refused(
    nano: zoo.Detector, tmp_path: Path
) -> None:
    state = nano.state_dict()
    name = "head.cls_preds.0.bias"
    state[name] = state[name].clone()
    state[name][3:5] = torch.tensor([float("nan"), float("inf")])
    save_file(state, tmp_path / "diverged.safetensors")
    with pytest.raises(CheckpointError, match=f"Of the tensor '{name}', 2 numbers are not finite"):
        zoo.load("yolox_nano", weights=f"file:{tmp_path / 'diverged.safetensors'}")


def test_weights_for_other_classes_say_for_how_many(nano: zoo.Detector, file: Path) -> None:
    from zoo.detectors.meta_device import on_meta_device
    from zoo.testing import Model

    with on_meta_device():
        other = Model.named("yolox_nano").make(zoo.LabelSpace.custom(["helmet", "vest"]))
    with pytest.raises(CheckpointError, match="They are for 80 classes, not 2"):
        assign(other, nano.state_dict(), asked="")
